"""Scores a deblurring network on images that it blurs, beside classical methods.

python -m deblur.evaluate --run_dir=runs/deblur --output=pictures
python -m deblur.evaluate --run_dir=runs/deblur --dataset=set12 --blur=motion9 --noise=gauss2 \\
    --baselines=all

The classical methods are given the true kernel, the network is not.
Ends with a line that programs can read:
RESULT dataset=set12 noise=gauss2 images=12 psnr=... ssim=...
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


def _adapt(config):
    return dataclasses.replace(config, validation_blur=FLAGS.blur or config.validation_blur)


def main():
    commands.evaluate(denoiser.METHOD, __doc__, define=_define_flags, adapt=_adapt)


if __name__ == "__main__":
    main()
