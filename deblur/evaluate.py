"""Scores a deblurring network on images that it blurs itself, beside classical methods.

python -m deblur.evaluate --output=pictures
python -m deblur.evaluate --run_dir=runs/convolve --dataset=set12 --blur=motion9 --noise=gauss2 \\
    --baselines=all

`noise2x evaluate deblur` is the same command. Without --run_dir it scores the newest finished run
of deblur in runs/. The classical methods know the true kernel; the network does not. The last line
is for programs to read:
RESULT dataset=set12 blur=motion9 noise=gauss2 images=12 psnr=... ssim=...
"""

import dataclasses

from absl import flags as absl_flags

from common import commands
from common.commands.flags import FLAGS
from deblur.method import METHOD


def _define_flags():
    absl_flags.DEFINE_string(
        "blur",
        None,
        "Kernels to blur with: dirac0.25, lognormal0.5, motion9 (length in pixels), disc3 (radius "
        "in pixels), a range such as motion3_15, or a file with one kernel, NPY, TIFF or PNG "
        "[validation_blur of the training].",
    )
    absl_flags.DEFINE_integer(
        "kernel_size",
        None,
        "Side of dirac and lognormal kernels, pixels; 0: as large as the image [that of the "
        "training].",
    )
    absl_flags.DEFINE_bool(
        "unit_sum",
        None,
        "Make dirac and lognormal kernels sum to 1 [as in the training].",
    )


def _change_config(config):
    """The configuration with the blur that the flags name."""
    flags_of = {"validation_blur": "blur", "kernel_size": "kernel_size", "unit_sum": "unit_sum"}
    changes = {name: FLAGS[flag].value for name, flag in flags_of.items()}
    changes = {name: value for name, value in changes.items() if value is not None}
    if changes and FLAGS.reference:
        raise ValueError(
            "blur, kernel_size, unit_sum with reference: images with a reference are blurred "
            "already; leave these flags out."
        )
    return dataclasses.replace(config, **changes)


def main():
    """Runs `python -m deblur.evaluate`."""
    commands.evaluate(METHOD, __doc__, define=_define_flags, change_config=_change_config)


if __name__ == "__main__":
    main()
