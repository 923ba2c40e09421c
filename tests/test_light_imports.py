"""What an import loads: the front door no Keras, a notebook's denoiser no command line."""

import subprocess
import sys

from noise2x import cli, methods
from tests.conftest import ROOT

HEAVY = {"tensorflow", "keras", "matplotlib", "skimage", "scipy"}


def loaded(statement):
    """Modules that a statement loads in a fresh process."""
    program = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_denoisers_load_keras_and_mathematics_alone():
    modules = loaded("\n".join(f"from {package} import denoiser" for package in methods.NAMES))
    assert "keras" in modules
    # TensorFlow itself imports absl and, where it is installed, matplotlib.
    own = modules - loaded("import tensorflow, keras")
    assert not [name for name in own if name.startswith(("absl", "matplotlib", "skimage"))]
    for shelf in ("commands", "serving", "evaluation", "restoring", "data"):
        assert not [name for name in own if name.startswith(f"common.{shelf}")], shelf


def test_the_front_door_and_every_entry_point_load_nothing_heavy():
    """So that `--help` of everything answers at once."""
    lines = ["import noise2x, noise2x.cli"]
    lines += [f"import {package}.method, {package}.train" for package in methods.NAMES]
    lines += [f"import {module}" for module, _ in cli.PROGRAMS.values()]
    assert not HEAVY & loaded("\n".join(lines))
