"""common.datasets: every source, and what damaged ones get."""

import h5py
import numpy as np
import pytest
import tensorflow as tf

from common.data import datasets
from common.files import image_files
from common.files.errors import ImageError

RNG = np.random.default_rng(0)
PICTURES = [RNG.integers(0, 255, (20 + i, 30, 3), np.uint8) for i in range(3)]


def write_pictures(folder):
    folder.mkdir(parents=True)
    for i, picture in enumerate(PICTURES):
        image_files.write(folder / f"kodim{i}.png", picture)


def write_hdf5(path, flats, shapes):
    with h5py.File(path, "w") as file:
        data = file.create_dataset(
            "images", (len(flats),), dtype=h5py.special_dtype(vlen=np.dtype("uint8"))
        )
        for i, flat in enumerate(flats):
            data[i] = flat
        file["shapes"] = np.asarray(shapes, np.int32)


def record(shape, data):
    feature = {
        "shape": tf.train.Feature(int64_list=tf.train.Int64List(value=shape)),
        "data": tf.train.Feature(bytes_list=tf.train.BytesList(value=[data])),
    }
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


def assert_pictures(loaded):
    assert len(loaded) == len(PICTURES)
    for a, b in zip(loaded.images, PICTURES):
        np.testing.assert_array_equal(a, b)


def test_sample_photographs_are_colour_and_the_held_back_ones_others():
    train, held_back = datasets.load("sample"), datasets.load("sample", held_back=True)
    assert all(image.shape[-1] == 3 and image.dtype == np.uint8 for image in train.images)
    assert not set(train.names) & set(held_back.names)
    assert min(min(image.shape[:2]) for image in train.images + held_back.images) >= 256


def test_named_set_folder_and_glob(tmp_path):
    write_pictures(tmp_path / "kodak")
    assert_pictures(datasets.load("kodak", tmp_path))
    assert_pictures(datasets.load(str(tmp_path / "kodak")))
    assert_pictures(datasets.load(str(tmp_path / "kodak" / "*.png")))
    assert len(datasets.load("kodak", tmp_path, max_images=2)) == 2


def test_equal_stems_get_names_of_their_own(tmp_path):
    write_pictures(tmp_path / "a")
    image_files.write(tmp_path / "a" / "kodim1.bmp", PICTURES[0])
    loaded = datasets.load(str(tmp_path / "a"))
    assert len(set(loaded.names)) == 4
    assert loaded.fingerprint() != datasets.load(str(tmp_path / "a"), max_images=3).fingerprint()


def test_the_data_folder_comes_from_the_environment(tmp_path, monkeypatch):
    write_pictures(tmp_path / "kodak")
    monkeypatch.setenv("N2X_DATA", str(tmp_path))
    assert_pictures(datasets.load("kodak"))
    with pytest.raises(ImageError, match="set14: no folder .*noise2x download. fetches"):
        datasets.load("set14")


def test_bad_files_are_skipped_and_named(tmp_path, caplog):
    write_pictures(tmp_path / "a")
    (tmp_path / "a" / "bad.png").write_bytes(b"\x89PNG nothing")
    (tmp_path / "a" / "empty.jpg").write_bytes(b"")
    with caplog.at_level("WARNING"):
        assert_pictures(datasets.load(str(tmp_path / "a")))
    assert "bad.png" in caplog.text
    assert "empty.jpg" in caplog.text
    assert "2 bad of 5" in caplog.text


def test_nothing_but_bad_files_is_an_error(tmp_path):
    (tmp_path / "bad.png").write_bytes(b"\x89PNG nothing")
    with pytest.raises(ImageError, match="no usable image, 1 bad.*bad.png"):
        datasets.load(str(tmp_path))


def test_hdf5_in_the_originals_layout(tmp_path):
    flats = [p.transpose(2, 0, 1).ravel() for p in PICTURES]
    shapes = [p.transpose(2, 0, 1).shape for p in PICTURES]
    write_hdf5(tmp_path / "a.h5", flats, shapes)
    assert_pictures(datasets.load(str(tmp_path / "a.h5")))


def test_malformed_hdf5_files_are_named_with_what_is_wrong(tmp_path, caplog):
    flats = [p.transpose(2, 0, 1).ravel() for p in PICTURES]
    shapes = [p.transpose(2, 0, 1).shape for p in PICTURES]
    shapes[1] = (3, 1000, 1000)
    write_hdf5(tmp_path / "one.h5", flats, shapes)
    with caplog.at_level("WARNING"):
        assert len(datasets.load(str(tmp_path / "one.h5"))) == 2
    assert "one.h5: image 1" in caplog.text
    (tmp_path / "junk.h5").write_bytes(b"not HDF5")
    with pytest.raises(ImageError, match="junk.h5: not readable as HDF5"):
        datasets.load(str(tmp_path / "junk.h5"))
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["weights"] = np.zeros(3)
    with pytest.raises(ImageError, match="other.h5: expected data sets"):
        datasets.load(str(tmp_path / "other.h5"))
    with h5py.File(tmp_path / "group.h5", "w") as file:
        file.create_group("images")
        file["shapes"] = h5py.SoftLink("/nowhere")
    with pytest.raises(ImageError, match="group.h5: expected data sets"):
        datasets.load(str(tmp_path / "group.h5"))
    with h5py.File(tmp_path / "shapes.h5", "w") as file:
        file["images"], file["shapes"] = np.zeros(3), np.zeros(3)
    with pytest.raises(ImageError, match="shapes.h5: shapes is"):
        datasets.load(str(tmp_path / "shapes.h5"))


def test_tfrecords_are_read_and_damaged_records_named(tmp_path, caplog):
    path = tmp_path / "a.tfrecords"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for picture in PICTURES:
            planes = picture.transpose(2, 0, 1)
            writer.write(record(planes.shape, planes.tobytes()))
        writer.write(record((3, 50, 50), b"too short"))
        writer.write(b"no example")
    with caplog.at_level("WARNING"):
        assert_pictures(datasets.load(str(path)))
    assert "record 3" in caplog.text
    content = bytearray(path.read_bytes())
    content[40] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(ImageError, match="no usable image, 1 bad.*a.tfrecords: damaged"):
        datasets.load(str(path))
    with pytest.raises(ImageError, match="no such file"):
        datasets.load(str(tmp_path / "missing.tfrecords"))
