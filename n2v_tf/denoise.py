"""Restores noisy image files, stacks and volumes with a trained Noise2Void network.

python -m n2v_tf.denoise --run_dir=runs/mine --input=cells.tif --output=restored
python -m n2v_tf.denoise --run_dir=runs/mine --input='scans/*.tif' --dims=TYX --output=restored

The files keep their names, axes, value type and pixel sizes.
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
        "Standardise by mean and deviation of the training images, or of each image itself: for "
        "data that are brighter or darker than those.",
    )


def _choose_restorer(restore):
    """The function that restores an image, and whether it may see parts of one; by --normalize."""
    from n2v_tf import denoiser

    if FLAGS.normalize == "training":
        progress.say("Standardised by mean and deviation of the training images.")
        return restore, True
    progress.say("Standardised by mean and deviation of each image itself.")
    return functools.partial(denoiser.restore_standardised, restore), False


def main():
    commands.denoise(METHOD, __doc__, define=_define_flags, choose_restorer=_choose_restorer)


if __name__ == "__main__":
    main()
