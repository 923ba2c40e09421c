"""common.files: whole or not at all."""

import pytest

from common.files import atomic


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "new" / "a.txt"
    with atomic.replacing(path) as temporary:
        temporary.write_text("old")
    with pytest.raises(OSError, match="no space"), atomic.replacing(path) as temporary:
        temporary.write_text("half")
        raise OSError("no space")
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_the_temporary_name_keeps_all_endings(tmp_path):
    with atomic.replacing(tmp_path / "w.weights.h5") as temporary:
        assert temporary.name.endswith(".weights.h5")
        temporary.write_text("")
