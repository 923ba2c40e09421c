"""scripts.data.collecting: which pictures go into a training file."""

import numpy as np

from common.files import image_files, listing
from scripts.data import collecting

RNG = np.random.default_rng(0)


def test_pictures_of_the_right_size_are_collected_and_the_others_counted(tmp_path, capsys):
    for name, shape, dtype in (
        ("good.png", (40, 50, 3), np.uint8),
        ("grey.png", (40, 50, 1), np.uint8),
        ("small.png", (8, 50, 3), np.uint8),
        ("deep.tif", (40, 50, 3), np.uint16),
    ):
        image_files.write(tmp_path / name, RNG.integers(0, 255, shape).astype(dtype))
    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    count = {"of another size": 0, "bad": 0}
    paths = listing.list_files(tmp_path)
    pictures = list(collecting.usable(paths, 16, 64, count))
    assert [picture.shape for picture in pictures] == [(40, 50, 3)] * 2
    assert count == {"of another size": 1, "bad": 2}
    assert "deep.tif: uint16, expected 8 bits. Skipped." in capsys.readouterr().err


def test_what_is_collected_is_shown_now_and_then(monkeypatch):
    lines = []
    clock = iter(range(0, 100, 3))
    monkeypatch.setattr(collecting.time, "monotonic", lambda: next(clock))
    items = collecting.shown("abcd", show=lambda line, **unused: lines.append(line))
    assert "".join(items) == "abcd"
    assert lines and all(line.endswith(" images") for line in lines)
