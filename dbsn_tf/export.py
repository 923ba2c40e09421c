"""Exports a trained denoiser as a SavedModel or in other formats.

python -m dbsn_tf.export                        # writes models/dbsn/1/
python -m dbsn_tf.export --run_dir=runs/dbsn --output=models/dbsn --format=onnx

`noise2x export dbsn` is the same command. Without --run_dir it exports the newest finished run of
dbsn_tf in runs/. A SavedModel runs in TensorFlow and TensorFlow Serving.
"""

from common import commands
from dbsn_tf.method import METHOD


def main():
    """Runs `python -m dbsn_tf.export`."""
    commands.export(METHOD, __doc__)


if __name__ == "__main__":
    main()
