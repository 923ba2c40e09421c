"""common.data.streams: every random draw is what it was before the streams had names.

draws.json holds mean, deviation and one value of the first batches and examples of every method, as
the version before this list drew them. A change here changes what a seed means: a run that was
stopped before it would go on with other crops and noise.
"""

import dataclasses
import json
import pathlib

import numpy as np
import pytest

from common.data import image_sets, streams
from common.files import pixels
from noise2x import methods

DRAWS = json.loads((pathlib.Path(__file__).parent / "draws.json").read_text())


def images(channels):
    y, x = np.mgrid[:96, :104]
    return [
        np.stack(
            [
                ((np.sin((y * (i + 1) + x * (k + 2)) / 9.0) + 1) * 127).astype(np.uint8)
                for k in range(channels)
            ],
            axis=-1,
        )
        for i in range(3)
    ]


def prepared(name, config):
    """The images as the method trains on them."""
    made = image_sets.ImageSet("made", images(1 if name == "n2n_tf.mri" else 3), list("abc"))
    if name == "n2v_tf":
        from n2v_tf import data

        made = made.each(lambda image: pixels.to_channels(image, config.channels))
        return data.with_statistics(made, config)
    if name == "superres" and config.own_copies:
        from superres import data

        return data.with_copies(made, config)
    if name == "n2n_tf.mri":
        from n2n_tf.mri import data

        return made.each(data.odd_sides)
    return made


def summary(array):
    values = np.asarray(array, np.float64).ravel()
    return [values.mean(), values.std(), values[len(values) // 3]]


@pytest.mark.parametrize("case", DRAWS)
def test_draws_are_what_they_were(case):
    name, settings = case.split(" ", 1)
    method = methods.find(name)
    settings = {"crop_size": 32, "batch_size": 2, "seed": 3} | json.loads(settings)
    config = dataclasses.replace(method.default_config, **settings).completed()
    image_set = prepared(name, config)
    drawn = {}
    for start in (0, 5):
        batches = method.batches(image_set, config, start).take(1).as_numpy_iterator()
        for letter, values in zip("xy", next(batches)):
            drawn |= {f"{start}.{letter}.{key}": value for key, value in values.items()}
    if name == "n2v_tf":
        from n2v_tf import data

        drawn["val.noisy"] = data.validation_batch(image_set, config)[0]["noisy"]
        drawn |= {"mean": image_set.mean, "std": image_set.std}
    noise = config.validation_noise
    *_, inputs = list(method.examples(image_set, config, noise=noise, seed=4, repeats=2))[-1]
    drawn |= {f"example.{key}": value for key, value in inputs.items()}
    assert set(drawn) == set(DRAWS[case])
    for key, expected in DRAWS[case].items():
        np.testing.assert_allclose(summary(drawn[key]), expected, rtol=2e-5, atol=2e-5, err_msg=key)


def test_streams_differ_in_what_they_draw():
    kinds = {int(stream): stream for stream in streams.ArrayStream}
    firsts = [streams.generator(stream, 1, 2).random() for stream in kinds.values()]
    assert len(set(firsts)) == len(kinds) > 4
    seed = streams.image_seed(1, 2)
    folded = {tuple(streams.fold(seed, stream).numpy()) for stream in streams.TensorStream}
    assert len(folded) == len(list(streams.TensorStream))
