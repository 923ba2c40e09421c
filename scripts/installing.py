"""Makes .venv in the checkout, if it is missing, and installs the project into it.

python3 -m scripts.installing          # or with extras: python3 -m scripts.installing test,onnx

It needs nothing but Python 3.10 to 3.13, on Linux, macOS and Windows, and is done in no time if
nothing has changed since.
"""

import os
import pathlib
import subprocess
import sys
import venv

ROOT = pathlib.Path(__file__).parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")


def install(extras=""):
    """Makes .venv and installs the project with some extras; ends the program if that fails.

    extras: names, separated by commas.
    """
    if not (BIN / _exe("python")).exists():
        print("Making .venv ...", flush=True)
        try:
            venv.create(VENV, with_pip=True, clear=True, symlinks=os.name != "nt")
        except (OSError, subprocess.CalledProcessError) as error:
            sys.exit(f"error: this Python can't make .venv ({error}); on Debian: python3-venv")
    # The stamp prevents that a second run asks the package index again.
    stamp = VENV / f".installed-{extras.replace(',', '-')}"
    if stamp.exists() and stamp.stat().st_mtime > (ROOT / "setup.cfg").stat().st_mtime:
        return
    print("Installing into .venv (TensorFlow is large: a minute or more) ...", flush=True)
    what = f".[{extras}]" if extras else "."
    quiet = ["--quiet", "--disable-pip-version-check"]
    run("python", "-m", "pip", "install", *quiet, "-e", what)
    stamp.touch()


def run(program, *arguments):
    """Runs a program of .venv in the checkout; if it fails, ends this one with its exit code."""
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3"} | os.environ
    command = [str(BIN / _exe(program)), *arguments]
    if code := subprocess.run(command, cwd=ROOT, env=environment).returncode:
        sys.exit(code)


def _exe(program):
    return f"{program}.exe" if os.name == "nt" else program


if __name__ == "__main__":
    if any(word.startswith("-") for word in sys.argv[1:]):
        sys.exit(__doc__)
    install(*sys.argv[1:2])
