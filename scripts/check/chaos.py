"""Disturbs trainings at random, and looks whether they end with the same bits.

python -m scripts.check.chaos --count=50 --output=chaos

A small training (Noise2Noise, crops that grow, averaged weights) runs undisturbed once. Then it
runs again and again, and is disturbed, --count times in all, at moments drawn at random:

killed         by kill -9
terminated     by SIGTERM, as a scheduler does
interrupted    by Ctrl-C
full disk      no file may grow beyond a random size, so that writing fails half-way
opened twice   a second training starts in the same folder

Each time it goes on with --resume. Every training that reaches its end must have the weights and
the state of the undisturbed one to the bit, and no command may show a traceback. The exit code is
1 after a failure. POSIX only.
"""

import collections
import pathlib
import subprocess

import h5py
import numpy as np
from absl import flags as absl_flags

from common.commands import flags, running
from common.files import image_files
from common.training import runs
from scripts.check import forked
from scripts.check.faults import watch

FLAGS = flags.FLAGS
MODULE = "n2n_tf.train"
SETTINGS = ["--train_set=in", "--noise=gauss0_55", "--schedule=fast", "--precision=float32"]
SETTINGS += ["--batch_size=2", "--crop_size=32", "--checkpoint_every=16", "--resume"]
SIGNALS = {"killed": "SIGKILL", "terminated": "SIGTERM", "interrupted": "SIGINT"}
KINDS = (*SIGNALS, "full disk", "opened twice")
SECONDS = 300.0  # for a whole training


class Training:
    """A training in a folder, in pieces.

    Args:
        folder: with the images in `in`; run folders are made in it.
        length: images to show.
        watched: counts failures.
    """

    def __init__(self, folder, length, watched):
        self._folder, self._length, self._watched = folder, length, watched
        self._first, self._second = forked.Commands(), forked.Commands()

    def _arguments(self, run_dir):
        every = f"--eval_every={self._length // 2}"
        return [*SETTINGS, f"--run_dir={run_dir}", f"--num_images={self._length}", every]

    def finish(self, run_dir):
        """Trains to the end, undisturbed."""
        done = self._first.run(MODULE, self._arguments(run_dir), cwd=self._folder, timeout=SECONDS)
        self._check(f"{run_dir}, to the end", done, (0,))

    def disturb(self, run_dir, kind, rng, seconds):
        """Trains until a disturbance, which comes after up to so many seconds."""
        after = float(rng.uniform(0.0, seconds))
        label = f"{run_dir}, {kind} after {after:.1f} s"
        settings = {"cwd": self._folder, "timeout": SECONDS}
        if kind == "full disk":
            # From less than a configuration to more than a checkpoint needs.
            settings["file_size"] = int(10 ** rng.uniform(2, 7.5))
            settings["sent"] = ("SIGTERM", seconds)
        else:
            settings["sent"] = (SIGNALS.get(kind, "SIGTERM"), after)
        self._first.start(MODULE, self._arguments(run_dir), **settings)
        if kind == "opened twice":
            settings["sent"] = ("SIGTERM", after / 2)
            self._second.start(MODULE, self._arguments(run_dir), **settings)
            second = self._ended(label, self._second)
            self._check(f"{label}, the second", second, (0, 1, 143))
        done = self._ended(label, self._first)
        codes = {"killed": (0, -9), "terminated": (0, 143), "interrupted": (0, 130)}
        self._check(label, done, codes.get(kind, (0, 1, 143)))

    def _ended(self, label, commands):
        try:
            return commands.finish()
        except subprocess.TimeoutExpired:
            self._watched.hang(label)
            return None

    def _check(self, label, done, codes):
        if done is None:
            return
        if "Traceback" in done.stderr:
            self._watched.trace(f"{label}:\n{done.stderr[-3000:]}")
        elif done.returncode not in codes:
            self._watched.fail(f"{label}: exit code {done.returncode}\n{done.stderr[-2000:]}")

    def close(self):
        """Ends the processes that the commands come from."""
        self._first.close()
        self._second.close()


def contents(run_dir):
    """{name: array} of the weights and of the state of a run folder."""
    arrays = {}
    with np.load(runs.state_path(run_dir), allow_pickle=False) as state:
        arrays |= {f"state {name}": state[name] for name in state.files}

    def keep(name, item):
        if isinstance(item, h5py.Dataset):
            arrays[f"weights {name}"] = item[()]

    with h5py.File(run_dir / "weights.weights.h5") as file:
        file.visititems(keep)
    return arrays


def differences(run_dir, expected):
    """Names of the arrays of a run folder that are not those expected, to the bit."""
    found = contents(run_dir)
    return sorted(
        name
        for name in found.keys() | expected.keys()
        if name not in found
        or name not in expected
        or np.asarray(found[name]).tobytes() != np.asarray(expected[name]).tobytes()
    )


def define_flags():
    """Defines the flags of this program."""
    absl_flags.DEFINE_integer("count", 50, "Number of disturbances [50].", 1)
    absl_flags.DEFINE_integer("length", 320, "Images that a training shows [320].", 32)
    absl_flags.DEFINE_float("seconds", 12.0, "Latest moment of a disturbance, seconds [12].", 0.1)
    absl_flags.DEFINE_integer("seed", 0, "Seed of the disturbances [0].", 0)
    absl_flags.DEFINE_string("output", None, "New folder for the trainings. Required.")


def run():
    """Disturbs trainings.

    Raises:
        ValueError: there were failures.
    """
    flags.require("output")
    output = pathlib.Path(FLAGS.output).absolute()
    (output / "in").mkdir(parents=True)
    rng = np.random.default_rng(FLAGS.seed)
    for name in "ab":
        image_files.write(
            output / "in" / f"{name}.png", rng.integers(0, 256, (160, 160, 3), np.uint8)
        )
    watched = watch.Watch(SECONDS)
    training = Training(output, FLAGS.length, watched)
    counted = collections.Counter()
    compared = 0
    try:
        training.finish(output / "undisturbed")
        expected = contents(output / "undisturbed")
        while watched.inputs < FLAGS.count:
            run_dir = output / f"disturbed-{compared}"
            is_finished = False
            while not is_finished and watched.inputs < FLAGS.count:
                kind = str(rng.choice(KINDS))
                training.disturb(run_dir, kind, rng, FLAGS.seconds)
                watched.inputs += 1
                counted[kind] += 1
                is_finished = (run_dir / "config.json").is_file() and runs.is_finished(run_dir)
            training.finish(run_dir)
            if other := differences(run_dir, expected):
                watched.fail(f"{run_dir}: other bits in {', '.join(other[:5])}, ...")
            compared += 1
    finally:
        training.close()
    kinds = ", ".join(f"{counted[kind]} {kind}" for kind in KINDS)
    print(f"{compared} trainings ended, compared bit by bit. Disturbances: {kinds}.")
    print(watched.summary("chaos", "disturbances"))
    if watched.failed:
        raise ValueError(f"{watched.failed} failures; see above and {output}.")


def main():
    """Runs `python -m scripts.check.chaos`."""
    running.run(run, define_flags, __doc__)


if __name__ == "__main__":
    main()
