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


@functools.cache
def _say_normalisation(kind):
    of = "the training images" if kind == "training" else "each image itself"
    commands.say(f"Standardised by mean and deviation of {of} (--normalize={kind}).")


def _restore(model, inputs, **settings):
    _say_normalisation(FLAGS.normalize)
    restore = prediction.restore_augmented if FLAGS.tta else prediction.restore
    if FLAGS.normalize == "training":
        return restore(model, inputs, **settings)
    return denoiser.restore_standardised(restore, model, inputs, **settings)


def main():
    commands.denoise(denoiser.METHOD, __doc__, define=_define_flags, restore=_restore)


if __name__ == "__main__":
    main()
