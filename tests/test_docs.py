"""Every command in the README and in docs/ runs as it is written, with a training of seconds.

They run in a folder that has what the pages speak of: photographs, stacks, image sets. Commands
that take too long, or need what is not here, are named in ELSEWHERE with where they are tested.
"""

import glob
import pathlib
import re
import shlex
import shutil

import numpy as np
import pytest
import tifffile

from common.files import image_files
from noise2x import cli, methods
from scripts.check import dng
from scripts.tools import ship
from tests.conftest import ROOT

PAGES = ["README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
# How a command begins that is not run here, and why.
ELSEWHERE = {
    "python3 -m scripts.quickstart": "minutes; run by hand in a fresh clone",
    "pip install": "tests/test_packaging.py",
    "python3 -m venv": "the same",
    "docker run": "no server here; tests/common/serving, tests/scripts/tools",
    "noise2x client": "tests/scripts/tools/test_serving_client.py",
    "curl": "REST; tests/scripts/tools/test_serving_client.py",
    "python -c": "the same",
    "echo": "REST; tests/scripts/tools/test_serving_client.py",
    "export": "sets a variable",
    "noise2x train rdunet": "building its graph takes long; tests/rdunet_tf/test_commands.py",
    "noise2x page": "runs until it is stopped; tests/scripts/page",
    "noise2x reproduce": "trains for minutes; tests/scripts/reproduce",
    "noise2x train ssdn --run_dir=runs/two": "two processes on JAX; tests/test_jax.py",
}
# What makes a training of seconds out of one of hours; later flags win.
SHORT = {
    "ssdn": ["--crop_size=32"],
    "n2n": ["--crop_size=32"],
    "n2n-mri": ["--crop_size=31"],
    "n2v": ["--crop_size=32", "--width=4"],
    "rdunet": ["--crop_size=32", "--width=4"],
    "dbsn": ["--crop_size=32", "--width=4", "--blocks=1", "--num_images=8"],
    "dbsn-distill": ["--crop_size=32", "--width=4"],
    "deblur": ["--crop_size=32"],
    "superres": ["--crop_size=96"],
}
RNG = np.random.default_rng(0)


def commands(page):
    """The commands of a page's bash blocks, continued lines joined."""
    text = (ROOT / page).read_text()
    for block in re.findall(r"```bash\n(.*?)```", text, re.S):
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            if line.strip():
                yield line.strip()


def pictures(folder, count, size, channels=3, suffix="png"):
    for i in range(count):
        image = RNG.integers(0, 255, (*size, channels), np.uint8)
        image_files.write(folder / f"{i:02d}.{suffix}", image)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with the files that the pages name."""
    folder = tmp_path_factory.mktemp("docs")
    for name in ("my_noisy_folder", "noisy_photos", "photos"):
        pictures(folder / name, 2, (100, 104))
    pictures(folder / "scans", 1, (72, 80), suffix="tif")
    for name in ("photo.jpg", "my_photo.jpg", "photo.png"):
        image_files.write(folder / name, RNG.integers(0, 255, (104, 100, 3), np.uint8))
    for name in ("kodak", "BSDS300/images/train", "BSDS300/images/test", "Set12", "BSD68"):
        suffix = "jpg" if "BSDS" in name else "png"
        pictures(folder / "datasets" / name, 1, (112, 104), suffix=suffix)
    for name in ("cells.tif", "average.tif"):
        tifffile.imwrite(folder / name, RNG.poisson(99, (64, 64)).astype(np.uint16))
    (folder / "movies").mkdir()
    for name, shape in (("movies/a.tif", (3, 64, 64)), ("volume.tif", (16, 64, 64))):
        data = RNG.poisson(99, shape).astype(np.uint16)
        tifffile.imwrite(folder / name, data, photometric="minisblack")
    dng.write(folder / "IMG_1234.CR3", RNG.random((64, 96)))  # known by its content
    pictures(folder / "slices", 2, (64, 64), channels=1)
    spectrum = np.fft.fftshift(np.fft.fft2(RNG.random((31, 31))))
    np.save(folder / "measured.npy", spectrum)
    shutil.copy(ROOT / "tests/scripts/tools/rdunet_width2.pth", folder / "model_color.pth")
    return folder


@pytest.fixture
def sandbox(made, tmp_path, tiny_run):
    """A copy of that folder with a finished run of ssdn in it."""
    folder = tmp_path / "sandbox"
    shutil.copytree(made, folder)
    shutil.copytree(tiny_run, folder / "runs" / "00000-ssdn")
    try:
        import zarr
    except ImportError:
        return folder
    data = RNG.poisson(99, (2, 64, 64)).astype(np.uint16)
    zarr.create_array(str(folder / "plate.zarr"), data=data, chunks=(1, 64, 64))
    return folder


def words(line, folder):
    """The words of a command, globs filled in, made short."""
    found = []
    for word in shlex.split(line, comments=True):
        matches = sorted(glob.glob(word, root_dir=folder)) if "*" in word[:6] else []
        found += matches or [word]
    verb, *rest = found[1:]
    if verb == "train":
        rest += ["--num_images=2", "--batch_size=2", "--precision=float32", *SHORT[rest[0]]]
    if verb == "evaluate":
        rest += ["--max_images=1"]
    return [verb, *rest]


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if any(commands(page))])
def test_the_commands_of_a_page_run(page, sandbox, run_command):
    ran = 0
    for line in commands(page):
        line = line.removeprefix(".venv/bin/")
        if line.startswith(tuple(ELSEWHERE)):
            continue
        assert line.startswith("noise2x "), f"{page}: {line}: neither run nor in ELSEWHERE"
        if line.startswith("noise2x volume"):
            pytest.importorskip("zarr")
            pytest.importorskip("distributed")
        if "--resume" in line and "train" in line:
            for run in (sandbox / "runs").glob("*-ssdn*"):
                shutil.rmtree(run)  # nothing is left to resume: it starts afresh
        done = run_command("noise2x", *words(line, sandbox), cwd=sandbox)
        assert done.returncode == 0, f"{page}: {line}\n{done.stdout[-500:]}\n{done.stderr[-2000:]}"
        ran += 1
    assert ran


def test_commands_named_in_the_text_are_there():
    verbs = {*cli.METHOD_VERBS, *cli.PROGRAMS, *cli.LISTS, "VERB"}
    names = {short for name in methods.NAMES for short in (name, methods.short_name(name))}
    seen = 0
    for page in [*PAGES, "CONTRIBUTING.md"]:
        for span in re.findall(r"`noise2x ([^`\n]+)`", (ROOT / page).read_text()):
            verb, *rest = span.split()
            assert verb in verbs, f"{page}: noise2x {span}"
            if verb == "train":
                assert rest[0] in names, f"{page}: noise2x {span}"
            seen += 1
    assert seen > 5


def test_pages_name_files_that_are_there():
    for page in [*PAGES, "CONTRIBUTING.md", "CHANGELOG.md", "RESULTS.md"]:
        folder = (ROOT / page).parent
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", (ROOT / page).read_text()):
            if not target.startswith("http"):
                assert (folder / target).exists(), f"{page}: {target}"


def test_the_page_of_the_models_has_their_cards():
    assert (ROOT / "docs/models.md").read_text() == ship.page(), "python -m scripts.tools.ship"


def test_the_readme_is_a_front_page():
    assert len(pathlib.Path(ROOT / "README.md").read_text().splitlines()) <= 150
