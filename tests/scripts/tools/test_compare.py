"""scripts.tools.compare: models and classical denoisers on one sheet."""

import re

import numpy as np
import pytest
from PIL import Image

from common.files import image_files

RNG = np.random.default_rng(0)
MODULE = "scripts.tools.compare"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compare")
    y, x = np.mgrid[:96, :120]
    scene = 128 + 60 * np.sin(x / 9) * np.cos(y / 13)
    clean = np.stack([scene, 0.8 * scene, 0.6 * scene], -1)
    image_files.write(folder / "clean.png", clean.round().astype(np.uint8))
    counts = (20 * scene + 50 * RNG.standard_normal(scene.shape))[..., None]
    image_files.write(folder / "counts.tif", counts.astype(np.uint16))
    return folder


def test_a_sheet_has_a_column_for_each_model_and_the_noise_it_took_away(folder, run_command):
    flags = ["clean.png", "--noise=gauss25", "--models=photo,mean,noisy", "--crop=64"]
    done = run_command(MODULE, *flags, cwd=folder)
    assert done.returncode == 0, done.stderr
    found = dict(re.findall(r"clean\.png: (\w+)  .* ([\d.]+) dB", done.stdout))
    assert float(found["photo"]) > float(found["mean"]) > float(found["noisy"]) > 20
    sheet = Image.open(folder / "clean-compared.png")
    assert sheet.size[0] == 5 * 64 + 6 * 6  # noisy, three results, clean
    # What "noisy" takes away is nothing: even grey.
    bottom = np.asarray(sheet)[-22 - 6 - 64 : -22 - 6]
    third = bottom[:, 6 + 3 * 70 : 6 + 3 * 70 + 64]
    assert set(np.unique(third)) <= {127, 128}


def test_without_models_it_takes_the_shipped_one_for_the_channels(folder, run_command):
    done = run_command(MODULE, "counts.tif", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "counts.tif: photo-grey" in done.stdout and "non_local_means" in done.stdout
    assert (folder / "counts-compared.png").is_file()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "Name the pictures"),
        (["nothing.png"], "no such file"),
        (["clean.png", "--models=foto"], "Did you mean the model photo?"),
        (["clean.png", "--models=photo,photo-grey"], "of different numbers of channels"),
        (["clean.png", "--models=photo-grey"], "1 files could not be read"),
        (["clean.png", "--noise=gaus"], "noise='gaus': expected gauss"),
        (["clean.png", "--reference=counts.tif"], "counts.tif"),
        (["clean.png", "--output=clean.png"], "an input, which would be lost"),
        (["clean.png", "--reference=a.png", "--noise=gauss25"], "without --noise"),
    ],
)
def test_what_it_refuses(folder, run_command, flags, message):
    done = run_command(MODULE, *flags, cwd=folder)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert message in done.stdout + done.stderr
