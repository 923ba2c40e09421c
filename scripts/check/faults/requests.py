"""Requests to an exported model: shapes, types and values that a client may send by mistake."""

import numpy as np
import tensorflow as tf

from common.serving import saved_models
from scripts.check import untrained

NUMBERS = (0.5, 0.0, -1.0, 3.9, 4.1, 255.0, 1e6, 1e30, np.inf, -np.inf, np.nan)


def draw(spec, rng):
    """A random array for an input: as it should be, or wrong in one way or in several."""

    def wrong():
        return rng.random() < 0.15

    rank = int(rng.choice([2, 3, 5])) if wrong() else len(spec.shape)
    shape = [int(rng.choice([1, 2, 3, 17, 32, 40])) for _ in range(rank)]
    if wrong():
        shape[rng.integers(rank)] = 0
    if not wrong():
        shape[-1] = spec.shape[-1]
    dtype = spec.dtype.as_numpy_dtype
    array = rng.random(shape) * (255 if dtype == np.uint8 else 1)
    if wrong():
        array = array * rng.choice(NUMBERS)
    if array.size and wrong():
        array.flat[rng.integers(array.size)] = rng.choice(NUMBERS)
    with np.errstate(all="ignore"):
        return array.astype(rng.choice(["uint8", "float64"]) if wrong() else dtype)


def ask(function, inputs):
    """Sends a request; returns whether it was answered.

    Raises:
        ArithmeticError: an answer that is not finite, or of another size than the images.
    """
    try:
        answer = function(**{name: tf.constant(value) for name, value in inputs.items()})
    except (tf.errors.InvalidArgumentError, TypeError):
        # What a client gets as INVALID_ARGUMENT, or from TensorFlow in its own process.
        return False
    for name, value in answer.items():
        if value.dtype != tf.string and not np.isfinite(value.numpy().astype(np.float64)).all():
            raise ArithmeticError(f"{name} of {inputs} is not finite")
    if "noisy" in inputs and answer["denoised"].shape != inputs["noisy"].shape:
        raise ArithmeticError(f"{inputs['noisy'].shape} became {answer['denoised'].shape}")
    return True


def fuzz(count, output, watch, rng):
    """Asks every signature of an exported SSDN model, which has all that there are."""
    denoiser = untrained.build("ssdn_tf", {"channels": 1})
    folder = saved_models.export(denoiser, output / "exported", name="fuzzed")
    served = tf.saved_model.load(str(folder))
    endpoints = saved_models.signatures(denoiser)
    watch.begin()  # TensorFlow and the model are in memory now, which no request is to blame for
    answered = 0
    for number in range(count):
        signature = str(rng.choice(list(endpoints)))
        inputs = {}
        for name, spec in endpoints[signature][1].items():
            if spec.dtype == tf.string:
                size = int(rng.integers(0, 3))
                inputs[name] = np.array([rng.bytes(40) for _ in range(size)], object)
            elif len(spec.shape) == 1:
                levels = rng.choice(NUMBERS, int(rng.integers(0, 3)))
                inputs[name] = levels.astype(np.float32)
            else:
                inputs[name] = draw(spec, rng)

        def ask_it(signature=signature, inputs=inputs):
            nonlocal answered
            answered += ask(served.signatures[signature], inputs)

        watch.run(f"request {number} to {signature}", ask_it)
    print(f"requests: {count} sent, {answered} answered, the others refused.", flush=True)
