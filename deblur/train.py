"""Trains a network that deblurs, on pairs of images blurred by different random kernels.

python -m deblur.train --run_dir=runs/deblur                       # sample photographs, minutes
python -m deblur.train --config=convolve --train_set=bsd300_train --run_dir=runs/convolve
python -m deblur.train --formulation=log_nodc --train_set=bsd300_train --run_dir=runs/log_nodc
python -m deblur.train --config=convolve-motion --channels=3 --train_set=photos --run_dir=runs/m
"""

from common import commands
from deblur import denoiser


def main():
    commands.train(denoiser.METHOD, __doc__)


if __name__ == "__main__":
    main()
