"""The wheel: what is in it, and that it works from a folder with a `common` of its own."""

import configparser
import os
import pathlib
import subprocess
import sys
import sysconfig
import zipfile

import numpy as np
import pytest
import setuptools

from common import shipped
from common.files import image_files
from tests.conftest import ROOT, TINY

# What an installation adds to site-packages: every package of the checkout but these.
TOP_LEVEL = {p.parent.name for p in ROOT.glob("*/__init__.py")} - {"common", "scripts", "tests"}


def test_every_package_is_named_in_setup_cfg():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    listed = set(config["options"]["packages"].split())
    found = set()
    for name in (*TOP_LEVEL, "common", "scripts"):
        inner = [name, *(f"{name}.{sub}" for sub in setuptools.find_packages(ROOT / name))]
        prefix = "noise2x._root." if name in ("common", "scripts") else ""
        found |= {prefix + package for package in inner}
    assert listed == found


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """(Python of an environment with the wheel, its site-packages); dependencies are borrowed."""
    folder = tmp_path_factory.mktemp("wheel")
    # Of what git knows: a build in the working tree would leave its own folders there.
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout
    source = folder / "source"
    for name in filter(None, names.split("\n")):
        if (ROOT / name).is_file() and not name.startswith(("tests/", "docs/")):
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(source)]
    subprocess.run([*pip, *build], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "env"], check=True)
    python = folder / "env" / "bin" / "python"
    site = pathlib.Path(
        subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    )
    install = ["install", "--no-deps", "--no-index", f"--target={site}", str(wheel)]
    subprocess.run([*pip, *install], check=True, capture_output=True)
    # At the end of the path, and without the checkout, which this environment may point to.
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python, site, wheel


@pytest.fixture
def elsewhere(tmp_path):
    """A folder with packages of its own named common and scripts, and a picture."""
    for name in ("common", "scripts"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('the wrong one')\n")
    image_files.write(tmp_path / "photo.png", np.full((20, 33, 3), 99, np.uint8))
    return tmp_path


def run(installed, cwd, *words):
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return subprocess.run(
        [installed[0], *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
    )


def test_the_wheel_holds_no_common_and_no_scripts_at_the_top(installed):
    with zipfile.ZipFile(installed[2]) as wheel:
        tops = {name.split("/")[0] for name in wheel.namelist()}
        weights = [name for name in wheel.namelist() if name.endswith("/weights.npz")]
    assert len(weights) == len(shipped.names())  # the models come along
    assert {name for name in tops if not name.endswith(".dist-info")} == TOP_LEVEL
    names = {path.name for path in installed[1].iterdir()}
    assert names >= TOP_LEVEL and not {"common", "scripts", "tests"} & names


@pytest.mark.slow
def test_the_users_own_command_runs_from_any_folder(installed, elsewhere):
    flags = ["--noise=gauss25", *TINY]
    done = run(installed, elsewhere, "-m", "ssdn_tf.train", *flags)
    assert done.returncode == 0, done.stderr
    assert "Run folder: runs/00000-ssdn-gauss25-blindspot-sigma_known" in done.stdout
    done = run(installed, elsewhere, "-m", "noise2x", "denoise", "photo.png")
    assert done.returncode == 0, done.stderr
    assert (elsewhere / "photo-denoised.png").is_file()


@pytest.mark.parametrize(
    "statement",
    [
        "import noise2x, common; assert 'noise2x/_root' in common.__file__, common.__file__",
        "import noise2x.cli; noise2x.cli.main()",
        "from n2v_tf import N2V; assert N2V",
        "from ssdn_tf import configs; assert len(configs.NAMED) > 40",
    ],
)
def test_imports_work_beside_a_common_of_the_users_own(installed, elsewhere, statement):
    done = run(installed, elsewhere, "-c", statement)
    assert done.returncode == 0, done.stderr


def test_a_foreign_common_that_is_imported_already_is_named(installed, elsewhere):
    (elsewhere / "common" / "__init__.py").write_text("")
    done = run(installed, elsewhere, "-c", "import common; import noise2x")
    assert "another module named `common` is imported already" in done.stderr
