"""Exports a trained denoiser as a SavedModel or in other formats.

python -m dbsn_tf.distill.export                        # writes models/dbsn-distill/1/
python -m dbsn_tf.distill.export --run_dir=runs/distilled --output=models/distilled --format=onnx

`noise2x export dbsn-distill` is the same command. Without --run_dir it exports the newest finished
run of dbsn_tf.distill in runs/. A SavedModel runs in TensorFlow and TensorFlow Serving.
"""

from common import commands
from dbsn_tf.distill.method import METHOD


def main():
    """Runs `python -m dbsn_tf.distill.export`."""
    commands.export(METHOD, __doc__)


if __name__ == "__main__":
    main()
