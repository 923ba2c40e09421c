"""Restores noisy image files, stacks and volumes with a trained Noise2Void network.

python -m n2v_tf.denoise cells.tif
python -m n2v_tf.denoise --run_dir=runs/movies --dims=TYX --output=restored movies/*.tif

`noise2x denoise n2v` is the same command. Without --run_dir it uses the newest finished run of
n2v_tf in runs/. cells.tif becomes cells-denoised.tif, or in a folder --output cells.tif, with the
axes, value types and pixel sizes of the file.
"""

import functools

from absl import flags as absl_flags

from common import commands, progress
from common.commands import flags
from n2v_tf.method import METHOD

FLAGS = flags.FLAGS


def _define_flags():
    flags.define_denoising()
    absl_flags.DEFINE_enum(
        "normalize",
        "training",
        ["training", "image"],
        "Mean and deviation by which images are standardised: training (of the training images) or "
        "image (of each image itself, for files that are brighter or darker than those) "
        "[training].",
    )


def _choose_restorer(restore):
    """The function that restores an image by --normalize, and whether it may see parts of it."""
    from n2v_tf import denoiser

    if FLAGS.normalize == "training":
        progress.say("Standardised by mean and deviation of the training images.")
        return restore, True
    progress.say("Standardised by mean and deviation of each image itself.")
    return functools.partial(denoiser.restore_standardised, restore), False


def main():
    """Runs `python -m n2v_tf.denoise`."""
    commands.denoise(METHOD, __doc__, define=_define_flags, choose_restorer=_choose_restorer)


if __name__ == "__main__":
    main()
