"""Measures what restoring in tiles costs: differences to the whole image, and time, by halo.

noise2x tiles --run_dir=runs/gauss25 --input=photo.png
noise2x tiles --run_dir=runs/gauss25 --input=photo.png --halos=32,64

Differences are shares of the image's range. Time is the time of the tiles divided by that of the
whole image, both medians of --repeats runs.
"""

import statistics
import time

import numpy as np
from absl import flags as absl_flags

from common.commands import flags, running
from common.files import pixels, stacks
from common.restoring import prediction, tiling
from noise2x import methods

FLAGS = flags.FLAGS


def define_flags():
    """Defines the flags of this program."""
    flags.define_run("restore with", required=True)
    absl_flags.DEFINE_string(
        "input", None, "Image file; of a stack the first image is used. Required."
    )
    absl_flags.DEFINE_integer(
        "tile_size", None, "Longest side of a tile, pixels [as long as memory_gb allows].", 1
    )
    absl_flags.DEFINE_float(
        "memory_gb", tiling.MEMORY_GB, f"Memory for a tile, gigabytes [{tiling.MEMORY_GB}].", 0.01
    )
    absl_flags.DEFINE_list(
        "halos",
        ["16", "32", "48", "64", "80", "128"],
        "Halos of the tiles to compare, pixels [16,32,48,64,80,128].",
    )
    absl_flags.DEFINE_integer(
        "repeat_image", 1, "Number of copies of the image along each of its sides [1].", 1
    )
    absl_flags.DEFINE_integer(
        "repeats", 3, "Number of measurements of each time; their medians are used [3].", 0
    )
    flags.define_precision("auto")


def run():
    """Restores the image as a whole and in tiles, and prints differences and times."""
    flags.require("run_dir", "input")
    denoiser = methods.of_run(FLAGS.run_dir).load_deployed(FLAGS.run_dir, FLAGS.precision)
    config = denoiser.config
    stack = stacks.read(FLAGS.input, usual=config.file_axes)
    image = stack.items(denoiser.spatial, config.channels)[0]
    image = np.tile(image, (*[FLAGS.repeat_image] * denoiser.spatial, 1))
    noisy = pixels.to_unit(image, pixels.white_level(image.dtype, config.white_level))
    settings = {"tile_size": FLAGS.tile_size}
    settings["max_pixels"] = denoiser.pixels_in(FLAGS.memory_gb)

    def timed(**settings):
        times = []
        for _ in range(max(1, FLAGS.repeats)):
            began = time.perf_counter()
            denoised = prediction.restore(denoiser, {"noisy": noisy}, **settings)["denoised"]
            times.append(time.perf_counter() - began)
        return denoised, statistics.median(times)

    whole, whole_time = timed(max_pixels=10**12)
    count = np.prod(noisy.shape[:-1])
    print(f"A pixel sees {denoiser.radius} pixels far; halo of this model: {denoiser.halo}.")
    print(f"{noisy.shape} whole: {1e6 * whole_time / count:.2f} s a megapixel")
    span = np.ptp(whole)
    for halo in [*map(int, FLAGS.halos), denoiser.radius]:
        tiled, tiled_time = timed(halo=halo, **settings)
        gap = np.abs(tiled - whole) / span
        grid = tiling.Grid(denoiser, noisy.shape[:-1], halo=halo, **settings)
        print(
            f"halo {halo:4d}: largest difference {gap.max():.2e}, root mean square "
            f"{np.sqrt(np.mean(gap**2)):.2e}, above 1/255 {np.mean(gap > 1 / 255):.2e}; "
            f"{len(grid.tiles)} tiles of {'x'.join(map(str, grid.tiles[0].length))}, "
            f"time {tiled_time / whole_time:.2f}",
            flush=True,
        )


def main():
    """Runs `noise2x tiles`."""
    running.run(run, define_flags, __doc__)


if __name__ == "__main__":
    main()
