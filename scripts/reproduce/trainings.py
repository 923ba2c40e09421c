"""Shared parts of the programs that train several models: commands and tables."""

import subprocess
import sys

from common.commands import flags
from noise2x import methods

FLAGS = flags.FLAGS


def arguments(package, run_dir, num_images, settings, *, train_set=None):
    """Arguments for python that train a network, with all settings that the result depends on.

    Args:
        package: of the method, for instance "n2n_tf".
        run_dir: run folder.
        num_images: length of the training at --scale=1, in crops.
        settings: list of flags of the training.
        train_set: replaces --train_set.

    Returns:
        list of str.
    """
    length = max(int(num_images * FLAGS.scale), 4)
    own = [f"--num_images={length}", f"--precision={FLAGS.precision}"]
    own += [f"--train_set={train_set or FLAGS.train_set}"]
    return ["-m", f"{package}.train", f"--run_dir={run_dir}", *settings, *own]


def trained(arguments):
    """Trains a model, or continues its training, if it is not finished; returns the model.

    arguments: of `arguments`.

    Raises:
        ValueError: the training failed; it has printed its error.
    """
    own = [f"--data_dir={FLAGS.data_dir}"] if FLAGS.data_dir else []
    done = subprocess.run([sys.executable, *arguments, *own, "--resume"], check=False)
    package, run_dir = arguments[1].removesuffix(".train"), arguments[2].partition("=")[2]
    if done.returncode:
        raise ValueError(f"{package}.train ended with exit code {done.returncode}.")
    return methods.find(package).load(run_dir, FLAGS.precision)
