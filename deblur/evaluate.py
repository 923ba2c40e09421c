"""Scores a deblurring network on images that it blurs, beside classical methods.

python -m deblur.evaluate --run_dir=runs/deblur --output=pictures
python -m deblur.evaluate --run_dir=runs/deblur --dataset=set12 --blur=motion9 --noise=gauss2 \\
    --baselines=all

The classical methods are given the true kernel, the network is not.
Ends with a line that programs can read:
RESULT dataset=set12 blur=motion9 noise=gauss2 images=12 psnr=... ssim=...
"""

import dataclasses

from absl import flags as absl_flags

from common import commands, flags
from deblur import denoiser

FLAGS = flags.FLAGS


def _define_flags():
    absl_flags.DEFINE_string(
        "blur",
        None,
        "Kernels to blur with: dirac0.25, lognormal0.5, motion9 (pixels), disc3 (radius), a range "
        "as motion3_15, or a file with one, NPY, TIFF or PNG [validation_blur of the training].",
    )
    absl_flags.DEFINE_integer(
        "kernel_size", None, "Of kernels of random entries; 0: the image's [that of the training]."
    )
    absl_flags.DEFINE_bool(
        "unit_sum", None, "Whether kernels of random entries sum to 1 [as in the training]."
    )


def _adapt(config):
    flags_of = {"validation_blur": "blur", "kernel_size": "kernel_size", "unit_sum": "unit_sum"}
    given = {name: FLAGS[flag].value for name, flag in flags_of.items()}
    given = {name: value for name, value in given.items() if value is not None}
    if given and FLAGS.reference:
        raise ValueError("blur, kernel_size, unit_sum with reference: those are blurred already.")
    return dataclasses.replace(config, **given)


def main():
    commands.evaluate(denoiser.METHOD, __doc__, define=_define_flags, adapt=_adapt)


if __name__ == "__main__":
    main()
