"""common.files: whole or not at all."""

import errno

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


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError("write failed, errno = 28, buf = 0"),
    ],
)
def test_a_full_disk_is_named_with_the_file(tmp_path, error):
    path = tmp_path / "a.txt"
    with pytest.raises(OSError) as caught, atomic.replacing(path):
        raise error
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(path))
    assert not list(tmp_path.iterdir())


def test_what_can_not_fit_is_not_begun(tmp_path):
    with pytest.raises(OSError) as caught, atomic.replacing(tmp_path / "a.txt", size=10**18):
        raise AssertionError("begun")
    assert caught.value.filename == str(tmp_path / "a.txt")
