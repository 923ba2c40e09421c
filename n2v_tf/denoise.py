"""Restores noisy image files, stacks and volumes with a trained Noise2Void network.

python -m n2v_tf.denoise --run_dir=runs/mine --input=cells.tif --output=restored
python -m n2v_tf.denoise --run_dir=runs/mine --input='scans/*.tif' --dims=TYX --output=restored

The files keep their names, axes, value type and pixel sizes.
"""

import functools

from absl import flags as absl_flags

from common import commands, flags, prediction
from n2v_tf import denoiser

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
    absl_flags.DEFINE_bool(
        "tta", False, "Average over the 8 ways to turn and mirror an image; 8 times the work."
    )


def _choose():
    """What restores an image, by the flags."""
    restore = prediction.restore_augmented if FLAGS.tta else prediction.restore
    if FLAGS.normalize == "training":
        commands.say("Standardised by mean and deviation of the training images.")
        return restore
    commands.say("Standardised by mean and deviation of each image itself.")
    return functools.partial(denoiser.restore_standardised, restore)


def main():
    commands.denoise(denoiser.METHOD, __doc__, define=_define_flags, choose=_choose)


if __name__ == "__main__":
    main()
