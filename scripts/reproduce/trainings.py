"""What the programs that train several models share: a command for each, and tables."""

import csv
import subprocess
import sys

from common.commands import flags
from common.files import atomic
from noise2x import methods

FLAGS = flags.FLAGS


def arguments(package, run_dir, num_images, settings, *, train_set=None):
    """What python is called with to train a network, all that the result depends on.

    num_images: at --scale=1; train_set: instead of the flag's.
    """
    length = max(int(num_images * FLAGS.scale), 4)
    own = [f"--num_images={length}", f"--precision={FLAGS.precision}"]
    own += [f"--train_set={train_set or FLAGS.train_set}"]
    return ["-m", f"{package}.train", f"--run_dir={run_dir}", *settings, *own]


def trained(arguments):
    """The model of a run folder, after training it, or the rest of it, if need be.

    Raises:
        ValueError: the training failed; its own error is printed above.
    """
    own = [f"--data_dir={FLAGS.data_dir}"] if FLAGS.data_dir else []
    done = subprocess.run([sys.executable, *arguments, *own, "--resume"], check=False)
    package, run_dir = arguments[1].removesuffix(".train"), arguments[2].partition("=")[2]
    if done.returncode:
        raise ValueError(f"{package}.train ended with exit code {done.returncode}.")
    return methods.find(package).load(run_dir, FLAGS.precision)


def write_table(path, rows):
    """A list of dicts as CSV; all have the keys of the first."""
    with atomic.replacing(path) as temporary, open(temporary, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
