"""scripts.data.make_tfrecords writes what training reads, and what the original's reader would."""

import numpy as np
import tensorflow as tf

from common.data import datasets
from common.files import image_files

RNG = np.random.default_rng(0)


def test_there_and_back_and_a_damaged_record(tmp_path, run_command):
    pictures = {name: RNG.integers(0, 255, (*size, 3), np.uint8) for name, size in SIZES.items()}
    for name, picture in pictures.items():
        image_files.write(tmp_path / "in" / f"{name}.png", picture)
    image_files.write(tmp_path / "in" / "grey.png", pictures["a"][..., :1])
    path = tmp_path / "out.tfrecords"
    flags = [f"--input={tmp_path}/in", "--noshuffle", f"--output={path}"]
    done = run_command("scripts.data.make_tfrecords", *flags)
    assert done.returncode == 0, done.stderr
    assert "3 images; left out: 0 of another size, 0 bad" in done.stdout
    loaded = datasets.load(str(path))
    for image, name in zip(loaded.images, SIZES):
        np.testing.assert_array_equal(image, pictures[name])
    np.testing.assert_array_equal(loaded.images[2], np.repeat(pictures["a"][..., :1], 3, axis=-1))
    example = tf.train.Example.FromString(next(iter(tf.data.TFRecordDataset(str(path)))).numpy())
    feature = example.features.feature
    assert list(feature["shape"].int64_list.value) == [3, 20, 30]
    planes = pictures["a"].transpose(2, 0, 1).tobytes()
    assert feature["data"].bytes_list.value == [planes]

    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1  # the checksum of the second record notices
    path.write_bytes(damaged)
    done = run_command(
        "n2n_tf.train",
        f"--train_set={path}",
        f"--run_dir={tmp_path}/run",
        "--crop_size=32",
        "--num_images=1",
        "--batch_size=1",
    )
    assert done.returncode == 0, done.stderr
    assert "out.tfrecords: damaged after 1 whole records" in done.stderr
    assert "Training on 1 images" in done.stdout  # enlarged to the crop, as the original does


SIZES = {"a": (20, 30), "b": (25, 20)}


def test_nothing_of_that_size(tmp_path, run_command):
    image_files.write(tmp_path / "a.png", RNG.integers(0, 255, (20, 30, 3), np.uint8))
    flags = [f"--input={tmp_path}", f"--output={tmp_path}/out.tfrecords", "--min_size=64"]
    done = run_command("scripts.data.make_tfrecords", *flags)
    assert done.returncode == 1
    assert "no usable image" in done.stderr
    assert not (tmp_path / "out.tfrecords").exists()
