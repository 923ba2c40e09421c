"""Downloads image sets into the folder where the commands look for them.

noise2x download kodak bsd300 set14                            # into $N2X_DATA or ./datasets
noise2x download kodak --data_dir=/data

Sets: kodak (24 photographs), bsd300 (Berkeley: 200 photographs to train on and 100 to test, for
research only), set14; bsd68 and set12 (grey); div2k (900 large photographs, 3.8 GB, for research
only) and ixi (581 magnetic resonance volumes, 4.8 GB). An interrupted download continues where it
stopped. The addresses of bsd68, set12, div2k and ixi, and how many files the last two have, could
not be tried where this was written.
"""

import collections.abc
import dataclasses
import hashlib
import http.client
import pathlib
import shutil
import sys
import tarfile
import time
import urllib.error
import urllib.request
import zipfile

import numpy as np
from absl import app
from absl import flags as absl_flags

from common.commands import flags, running
from common.data import datasets
from common.files import image_files
from common.files.errors import ImageError

FLAGS = flags.FLAGS
CHUNK = 1 << 16  # bytes


@dataclasses.dataclass(frozen=True)
class Source:
    """Where a set comes from, and how to check that it is complete.

    base: address of the server's folder.
    files: pairs of (address below `base`, path below the data folder).
    counts: glob below the data folder -> number of images that it must match.
    unpack: function of (archive, data folder) that unpacks a file; None for single images.
    pixels_sha256: SHA-256 of all decoded pixels, in the order of names; None if it is not known.
    """

    base: str
    files: tuple
    counts: dict
    unpack: collections.abc.Callable | None = None
    pixels_sha256: str | None = None
    megabytes: int = 60


def _unpack_bsd300(archive, data_dir):
    """Unpacks BSDS300/images/{train,test}/*.jpg, with the paths of the archive."""
    with tarfile.open(archive) as tar:
        tar.extractall(data_dir, filter="data")  # refuses paths that lead out of the folder


def _unpack_set14(archive, data_dir):
    """Unpacks the high-resolution images of the x2 folder into Set14/."""
    folder = data_dir / "Set14"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive) as stored:
        for name in stored.namelist():
            if "image_SRF_2/" in name and name.endswith("_HR.png"):
                with stored.open(name) as source:
                    target = folder / pathlib.PurePosixPath(name).name
                    target.write_bytes(source.read())


def _unpack_into(folder):
    """A function that unpacks a tar file into a folder of its own."""

    def unpack(archive, data_dir):
        with tarfile.open(archive) as tar:
            tar.extractall(data_dir / folder, filter="data")

    return unpack


def _unzip(archive, data_dir):
    """Unpacks a zip file with the paths that it has; zipfile keeps them inside the folder."""
    with zipfile.ZipFile(archive) as stored:
        stored.extractall(data_dir)


def _grey_test_set(folder, names, pixels_sha256):
    """A set of the test images that come with DnCNN."""
    return Source(
        base="https://raw.githubusercontent.com/cszn/DnCNN/master/testsets/",
        files=tuple((f"{folder}/{name}", f"{folder}/{name}") for name in names),
        counts={f"{folder}/*.png": len(names)},
        pixels_sha256=pixels_sha256,
    )


SOURCES = {
    "kodak": Source(
        base="http://r0k.us/graphics/kodak/kodak/",
        files=tuple((f"kodim{i:02d}.png", f"kodak/kodim{i:02d}.png") for i in range(1, 25)),
        counts={"kodak/*.png": 24},
        pixels_sha256="c2c749bf39d7af3358bd899102b179c2ac68dbfab84dd8bbd177f508735db8af",
    ),
    "bsd300": Source(
        base="https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/bsds/",
        files=(("BSDS300-image_files.tgz", "BSDS300-image_files.tgz"),),
        counts={"BSDS300/images/train/*.jpg": 200, "BSDS300/images/test/*.jpg": 100},
        unpack=_unpack_bsd300,
    ),
    "set14": Source(
        base="https://uofi.box.com/shared/static/",
        files=(("igsnfieh4lz68l926l8xbklwsnnk8we9.zip", "Set14_SR.zip"),),
        counts={"Set14/*.png": 14},
        unpack=_unpack_set14,
    ),
    "bsd68": _grey_test_set(
        "BSD68",
        [f"test{i:03d}.png" for i in range(1, 69)],
        "2e37a02ad4b84de9ca0f7870c4601b0293e6a4aa02bb3dd2fa3f108949c9e9fe",
    ),
    "set12": _grey_test_set(
        "Set12",
        [f"{i:02d}.png" for i in range(1, 13)],
        "bc04213b2b59e09ce3f3b0e05303d1c4a162f825b7de61c857e9d27c100bb4a5",
    ),
    "div2k": Source(
        base="http://data.vision.ee.ethz.ch/cvl/DIV2K/",
        files=tuple((f"DIV2K_{part}_HR.zip",) * 2 for part in ("train", "valid")),
        counts={"DIV2K_train_HR/*.png": 800, "DIV2K_valid_HR/*.png": 100},
        unpack=_unzip,
        megabytes=8000,  # the archive and what is unpacked
    ),
    "ixi": Source(
        base="http://biomedic.doc.ic.ac.uk/brain-development/downloads/IXI/",
        files=(("IXI-T1.tar", "IXI-T1.tar"),),
        counts={"IXI-T1/*.nii.gz": 581},
        unpack=_unpack_into("IXI-T1"),
        megabytes=10_000,
    ),
}


class DownloadError(ValueError):
    """A download that failed; the message names the address."""


def fetch(address, path, *, show=print):
    """Downloads a file, or the rest of it if PATH.part holds its beginning.

    Args:
        address: URL of the file.
        path: where to write it.
        show: called with lines about the progress.

    Raises:
        DownloadError: the server can't be reached, refuses, or closes the connection too early.
    """
    part = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(address, headers={"User-Agent": "noise2x"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            resumed = answer.status == 206
            left = answer.headers.get("Content-Length")
            total = int(left) + (have if resumed else 0) if left else None
            if have:
                show(f"{path.name}: {'going on' if resumed else 'starting again'} at {have} bytes")
            with open(part, "ab" if resumed else "wb") as file:
                _copy(answer, file, total, path.name, show)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # nothing is left to send, or the file has changed
            part.unlink()
            raise DownloadError(f"{address}: changed since the last try; run it again.") from error
        raise DownloadError(f"{address}: {error.code} {error.reason}.") from error
    except (OSError, http.client.HTTPException) as error:  # URLErrors and time-outs are OSErrors
        reason = getattr(error, "reason", error)
        raise DownloadError(f"{address}: {reason}; run it again to go on.") from error
    if total is not None and part.stat().st_size != total:
        raise DownloadError(
            f"{address}: closed after {part.stat().st_size} of {total} bytes; "
            "run it again to go on."
        )
    part.replace(path)


def _copy(source, file, total, name, show):
    """Copies an answer into a file, and shows the progress every two seconds."""
    shown = time.monotonic()
    while chunk := source.read(CHUNK):
        file.write(chunk)
        if time.monotonic() - shown > 2:
            shown = time.monotonic()
            share = f" ({100 * file.tell() / total:.0f} %)" if total else ""
            show(f"{name}: {file.tell() / 1e6:.1f} MB{share}")


def download(name, data_dir, *, base=None, show=print):
    """Downloads, unpacks and checks one set; a complete set is not downloaded again.

    Args:
        name: a key of `SOURCES`.
        data_dir: the data folder.
        base: address of a mirror, in place of the set's own.
        show: called with lines about the progress.

    Raises:
        DownloadError: see `fetch`; or the set is not complete, or has other pixels than expected.
    """
    source, data_dir = SOURCES[name], pathlib.Path(data_dir)
    if not problems(source, data_dir):
        show(f"{name}: complete already in {data_dir}")
        return
    for remote, local in source.files:
        path = data_dir / local
        if not _is_whole(path):
            fetch((base or source.base) + remote, path, show=show)
        if source.unpack:
            try:
                source.unpack(path, data_dir)
            except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
                path.unlink()
                raise DownloadError(f"{path}: not an archive ({error}); run it again.") from error
            path.unlink()
    if problem := problems(source, data_dir):
        folder = data_dir / next(iter(source.counts)).split("/")[0]
        raise DownloadError(f"{name}: {problem} Remove {folder} and try again.")
    show(f"{name}: complete in {data_dir}")


def _is_whole(path):
    """Whether a file exists and, if it is a picture, can be read."""
    if not path.exists() or path.suffix not in image_files.SUFFIXES:
        return path.exists()
    try:
        image_files.read_one(path)
    except ImageError:
        return False
    return True


def problems(source, data_dir):
    """A sentence about what is wrong with a set on disk; "" if it is complete.

    Args:
        source: `Source` of the set.
        data_dir: the data folder, a pathlib.Path.
    """
    for pattern, count in source.counts.items():
        paths = sorted(data_dir.glob(pattern))
        if len(paths) != count:
            return f"{len(paths)} images match {pattern}, expected {count}."
        if source.pixels_sha256:
            digest = hashlib.sha256()
            for path in paths:
                if not _is_whole(path):
                    return f"{path} is damaged."
                digest.update(np.ascontiguousarray(image_files.read_one(path)))
            if digest.hexdigest() != source.pixels_sha256:
                return f"The pixels of {pattern} are not those known (SHA-256)."
    return ""


def run(names):
    """Downloads the named sets; exits with 1 if one of them failed."""
    for name in names or [""]:
        if name not in SOURCES:
            raise app.UsageError(f"set {name!r}: expected some of {', '.join(SOURCES)}.")
    data_dir = pathlib.Path(FLAGS.data_dir or datasets.default_data_dir())
    free = shutil.disk_usage(data_dir if data_dir.exists() else ".").free
    needed = sum(SOURCES[name].megabytes for name in names)
    if free < needed * 1e6:
        raise ValueError(f"{data_dir}: {free / 1e6:.0f} MB free; about {needed} MB are needed.")
    failed = 0
    for name in names:
        try:
            download(name, data_dir, base=FLAGS.base)
        except DownloadError as error:
            failed += 1
            print(f"error: {error}", file=sys.stderr)
    if failed:
        raise SystemExit(1)


def define_flags():
    """Defines the flags of this program."""
    flags.define_data()
    absl_flags.DEFINE_string(
        "base", None, "Address of a mirror that has the files [the original server]."
    )


def main():
    """Runs `noise2x download`."""
    running.run(run, define_flags, __doc__, takes_arguments=True)


if __name__ == "__main__":
    main()
