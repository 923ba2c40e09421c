"""Trains a reconstruction of undersampled magnetic resonance images, from such images alone.

python -m n2n_tf.mri.train --run_dir=runs/mri                          # phantoms, minutes
python -m n2n_tf.mri.train --train_set=ixi.h5 --run_dir=runs/ixi       # of make_mri_dataset
python -m n2n_tf.mri.train --targets=clean --run_dir=runs/mri_clean
"""

from common import commands
from n2n_tf.mri import denoiser


def main():
    commands.train(denoiser.METHOD, __doc__)


if __name__ == "__main__":
    main()
