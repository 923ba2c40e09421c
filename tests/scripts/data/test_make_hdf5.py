"""scripts.data.make_hdf5 writes what training reads, and leaves out what the original left out."""

import numpy as np

from common.data import datasets
from common.files import image_files

RNG = np.random.default_rng(0)


def test_the_size_filter_and_the_way_back(tmp_path, run_command):
    sizes = {"a": (40, 50), "small": (30, 50), "b": (64, 40), "large": (40, 65)}
    pictures = {}
    for name, size in sizes.items():
        pictures[name] = RNG.integers(0, 255, (*size, 3), np.uint8)
        image_files.write(tmp_path / "in" / f"{name}.png", pictures[name])
    image_files.write(tmp_path / "in" / "grey.png", pictures["a"][..., :1])
    (tmp_path / "in" / "bad.png").write_bytes(b"nothing")
    flags = [f"--input={tmp_path}/in", "--noshuffle", "--min_size=40", "--max_size=64"]
    done = run_command("scripts.data.make_hdf5", f"--output={tmp_path}/out.h5", *flags)
    assert done.returncode == 1  # one was bad; the others are there
    assert "3 images; left out: 2 of another size, 1 bad" in done.stdout
    assert "bad.png" in done.stderr
    loaded = datasets.load(f"{tmp_path}/out.h5")
    for image, name in zip(loaded.images, ("a", "b")):
        np.testing.assert_array_equal(image, pictures[name])
    np.testing.assert_array_equal(loaded.images[2], np.repeat(pictures["a"][..., :1], 3, axis=-1))
    limited = run_command(
        "scripts.data.make_hdf5", f"--output={tmp_path}/two.h5", "--max_files=2", *flags
    )
    assert "2 images" in limited.stdout  # of those that are usable: bad.png comes before b.png
    image_files.write(tmp_path / "in" / "deep" / "c.png", pictures["b"])
    orders = []
    for name in ("first", "second"):
        shuffled = [f"--output={tmp_path}/{name}.h5", "--shuffle"]
        run_command("scripts.data.make_hdf5", *flags, *shuffled)
        orders.append([image.tobytes() for image in datasets.load(f"{tmp_path}/{name}.h5").images])
    assert orders[0] == orders[1] and len(orders[0]) == 4  # sub-folders too
    none = run_command("scripts.data.make_hdf5", f"--output={tmp_path}/no.h5", flags[0])
    assert none.returncode == 1
    assert "no usable image" in none.stderr
    assert not (tmp_path / "no.h5").exists()
