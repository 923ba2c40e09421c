"""Tests with randomly damaged files, requests and flags.

python -m scripts.check.fuzz --count=5000 --output=fuzz

images         PNG, JPEG, BMP, TIFF, arrays, Zarr and raw files, cut off or with bytes changed,
               restored in batches with good files among them
weights        files of other programs, imported
run folders    configuration, weights, checkpoint or log damaged: restored with, and resumed
requests       to an exported model: wrong shapes, types and values
command lines  every command with random values of its flags

Everything must be done or refused with a message. These are failures: an exception that is not
meant for the user, more than --seconds for an input, memory that grows by more than a gigabyte, a
good file in a batch that is not restored, an answer that is not finite. What failed stays in the
output folder. The report ends with a line of how many inputs there were, and the exit code is 1
after a failure. POSIX only.
"""

import pathlib
import warnings

import numpy as np
from absl import flags as absl_flags

from common.commands import flags, running
from scripts.check import forked, memory
from scripts.check.faults import watch

FLAGS = flags.FLAGS
# Of each kind, in per cent of --count; the others are images.
SHARES = {"weights": 12, "run folders": 12, "requests": 14, "command lines": 4}


def define_flags():
    """Defines the flags of this program."""
    absl_flags.DEFINE_integer("count", 2000, "Number of inputs [2000].", 1)
    absl_flags.DEFINE_integer("seed", 0, "Seed of the damage [0].", 0)
    absl_flags.DEFINE_integer(
        "seconds", 20, "Longest time that an input may take, seconds [20].", 1
    )
    absl_flags.DEFINE_string("output", None, "New folder for the damaged files. Required.")


def run():
    """Tests every kind of input.

    Raises:
        ValueError: there were failures.
    """
    # They import TensorFlow, which is only now quiet.
    from scripts.check.faults import command_lines, images, requests, run_folders, weights

    flags.require("output")
    output = pathlib.Path(FLAGS.output).absolute()
    output.mkdir(parents=True)
    warnings.simplefilter("ignore")  # decoders warn about files before they refuse them
    watched = watch.Watch(FLAGS.seconds)
    rng = np.random.default_rng(FLAGS.seed)
    counts = {kind: FLAGS.count * share // 100 for kind, share in SHARES.items()}
    commands = forked.Commands()
    try:
        command_lines.fuzz(counts["command lines"], output, watched, rng, commands)
        run_folders.fuzz(counts["run folders"], output, watched, rng, commands)
    finally:
        commands.close()
    watched.begin()
    requests.fuzz(counts["requests"], output, watched, rng)
    watched.begin()
    weights.fuzz(counts["weights"], output, watched, rng)
    watched.begin()
    images.fuzz(FLAGS.count - sum(counts.values()), output, watched, rng)
    print(
        f"Slowest: {watched.slowest:.1f} s an input. Memory at most {memory.peak() / 1e9:.2f} GB."
    )
    print(watched.summary())
    if watched.failed:
        raise ValueError(f"{watched.failed} failures; see above and {output}.")


def main():
    """Runs `python -m scripts.check.fuzz`."""
    running.run(run, define_flags, __doc__)


if __name__ == "__main__":
    main()
