"""Measures the speed of a method's training on this machine.

noise2x benchmark n2v_tf                                 # the default configuration, on photographs
noise2x benchmark n2v_tf --config=n2v2 --precision=bfloat16
noise2x benchmark ssdn_tf --batch_size=1 --crop_size=64

It prints medians over single steps, without the first ones. `step` is a training step on batches
that are ready in memory. `batches` is the data pipeline alone. `masking` (n2v_tf) hides the blind
spots of crops that are ready in memory, on one core, one crop after the other. On a shared machine
only figures of the same run can be compared.
"""

import dataclasses
import itertools
import time

import numpy as np
from absl import app
from absl import flags as absl_flags

from common import configuration
from common.commands import flags, running
from noise2x import methods

FLAGS = flags.FLAGS
WARM_UP = 3  # first steps, which also trace functions and fill caches


def define_flags():
    """Defines the flags of this program."""
    flags.define_data()
    absl_flags.DEFINE_string("config", None, "Named configuration of the method [its default].")
    absl_flags.DEFINE_integer("steps", 20, "Number of steps to measure [20].", 1)
    absl_flags.DEFINE_integer("batch_size", None, "Crops in a step [the configuration's].", 1)
    absl_flags.DEFINE_integer("crop_size", None, "Side of a crop, pixels [the configuration's].", 1)
    flags.define_precision()


def seconds(calls):
    """Median time, seconds, that an iterator takes for an item, without the first items."""
    times = []
    began = time.perf_counter()
    for _ in calls:
        times.append(time.perf_counter() - began)
        began = time.perf_counter()
    return float(np.median(times[WARM_UP:]))


def masking_seconds(batch, image_set, config):
    """Time, seconds, that `n2v_tf.data.hide` takes for one crop.

    Args:
        batch: (x, y), whose targets are the crops.
        image_set: `n2v_tf.data.TrainingSet`.
        config: a completed `n2v_tf.configs.Config`.
    """
    import tensorflow as tf

    from n2v_tf import data

    crops = tf.constant(batch[1]["target"])

    @tf.function
    def hide(number):
        crop = tf.ensure_shape(crops[number % config.batch_size], crops.shape[1:])
        seed = tf.stack([0, number])
        return data.hide(crop, image_set.mean, image_set.std, config, seed)

    count = 20 * config.batch_size
    return seconds(hide(tf.constant(i)) for i in range(count))


def run(arguments):
    """Measures a training and prints the figures; arguments: [name of the method]."""
    from common.training import loop

    if len(arguments) != 1:
        raise app.UsageError(
            f"Expected one of {', '.join(methods.NAMES)}; got {arguments or 'nothing'}."
        )
    method = methods.find(arguments[0])
    name = FLAGS.config or method.default
    configuration.expect("config", name, list(method.named))
    changes = {n: FLAGS[n].value for n in ("batch_size", "crop_size") if FLAGS[n].value is not None}
    settings = {"precision": FLAGS.precision, "num_images": 10**6}
    config = dataclasses.replace(method.named[name], **settings | changes).completed()
    image_set = method.training_images(config, FLAGS.data_dir, None)
    denoiser = method.build(config, image_set)
    loop.compile_for_training(denoiser, method.optimizer(config))

    count = FLAGS.steps + WARM_UP
    batches = list(itertools.islice(method.batches(image_set, config, 0), count))
    fetch = seconds(itertools.islice(method.batches(image_set, config, 0), 5 * count))
    step = seconds(denoiser.train_on_batch(x, y) for x, y in batches)
    size = "x".join(map(str, config.crop_shape))
    print(f"{method.name} {name}: {config.batch_size} crops of {size}, {config.precision}")
    print(f"step      {1 / step:8.2f} a second, {config.batch_size / step:8.1f} crops a second")
    print(f"batches   {1 / fetch:8.2f} a second, {config.batch_size / fetch:8.1f} crops a second")
    if method.name == "n2v_tf":
        masking = masking_seconds(batches[0], image_set, config)
        share = 100 * masking * config.batch_size / step
        print(f"masking   {1 / masking:8.1f} crops a second, {share:.1f} % of a step's time")


def main():
    """Runs `noise2x benchmark`."""
    running.run(run, define_flags, __doc__, takes_arguments=True)


if __name__ == "__main__":
    main()
