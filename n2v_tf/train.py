"""Trains a denoiser on single noisy images, or on the one file that is to be restored (Noise2Void).

python -m n2v_tf.train --run_dir=runs/first                        # sample photographs, minutes
python -m n2v_tf.train --data_path=cells.tif --check_only          # a look at the data, no training
python -m n2v_tf.train --data_path=cells.tif --epochs=15 --steps_per_epoch=100 --run_dir=runs/cells
python -m n2v_tf.train --config=n2v2 --data_path=movies --dims=TYX --run_dir=runs/movies
python -m n2v_tf.train --data_path=volume.tif --dims=ZYX --run_dir=runs/volume
"""

from common import commands
from n2v_tf import denoiser


def main():
    commands.train(denoiser.METHOD, __doc__)


if __name__ == "__main__":
    main()
