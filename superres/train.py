"""Trains super-resolution on images that are shrunk and enlarged again, with noisy targets.

python -m superres.train --run_dir=runs/sr                           # sample photographs, minutes
python -m superres.train --scale=3 --train_set=bsd300_train --run_dir=runs/sr3
python -m superres.train --config=single_image --train_set=photo.png --run_dir=runs/photo
python -m superres.train --config=bicubic-n2v --train_set=bsd300_train --run_dir=runs/report
"""

from common import commands
from superres import denoiser


def main():
    commands.train(denoiser.METHOD, __doc__)


if __name__ == "__main__":
    main()
