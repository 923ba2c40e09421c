"""Takes the picture of the page that docs/photographs.md and the README show.

python -m scripts.page.screenshot --output=docs/page.png

It opens `noise2x page` in Chromium, drops a photograph that comes with scikit-image, to which it
adds noise, and needs the extra page-test.
"""

import io
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import numpy as np
from absl import flags as absl_flags
from PIL import Image

from common.commands import flags, running

FLAGS = flags.FLAGS
SIGMA = 25


def define_flags():
    """Defines the flags of this program."""
    absl_flags.DEFINE_string("output", "docs/page.png", "PNG file to write.")
    absl_flags.DEFINE_integer("width", 1280, "Width of the window, pixels.", 320)
    absl_flags.DEFINE_integer("height", 820, "Height of the window, pixels.", 200)
    absl_flags.DEFINE_enum("colours", "light", ["light", "dark"], "Colours of the page.")


def noisy_photograph():
    """The bytes of a PNG file: a photograph with noise of SIGMA."""
    import skimage.data

    clean = skimage.data.astronaut()[:360]
    noise = SIGMA * np.random.default_rng(0).standard_normal(clean.shape)
    file = io.BytesIO()
    Image.fromarray(np.clip(clean + noise, 0, 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def run():
    """Opens the page, drops the photograph, waits and takes the picture."""
    from playwright import sync_api

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise ValueError("no Chromium is installed here; on Debian: apt install chromium")
    with tempfile.TemporaryDirectory() as folder, sync_api.sync_playwright() as started:
        command = [sys.executable, "-m", "noise2x", "page", "--nobrowser", "--port=0"]
        command.append(f"--folder={folder}/pictures")
        root = pathlib.Path(__file__).parents[2]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as page:
            address = re.search(r"http\S+", page.stdout.readline()).group()
            browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            tab = browser.new_page(
                viewport={"width": FLAGS.width, "height": FLAGS.height},
                color_scheme=FLAGS.colours,
            )
            tab.goto(address)
            dropped = {"name": "noisy.png", "mimeType": "image/png", "buffer": noisy_photograph()}
            tab.set_input_files("#choose", dropped)
            tab.wait_for_selector("#save:not([hidden])", timeout=120_000)
            tab.wait_for_function("() => document.getElementById('over').naturalWidth > 0")
            tab.screenshot(path=FLAGS.output)
            browser.close()
            page.terminate()
    print(f"Picture: {FLAGS.output}")


def main():
    """Runs the program."""
    running.run(run, define_flags, __doc__, needs_keras=False)


if __name__ == "__main__":
    main()
