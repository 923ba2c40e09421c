"""Makes the environments of other programs, and times their training steps and ours in turn."""

import contextlib
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

HERE = pathlib.Path(__file__).parent
ROUNDS = 5
WARM_UP = 10  # steps of the first order, which is not counted
CROPS = 2048


@dataclasses.dataclass(frozen=True)
class Peer:
    """Another program.

    label: what the report calls it.
    environment: folder's name; programs may share one.
    requirements: what pip installs into it.
    script: file beside this one, which does its steps.
    python: the newest Python (major, minor) that its requirements have; None: any.
    """

    label: str
    environment: str
    requirements: tuple
    script: str
    python: tuple | None = None


CAREAMICS = ("careamics == 0.3.5",)  # brings PyTorch along
PEERS = {
    "n2v_tf": (
        Peer(
            "juglab's n2v 0.3.3, TensorFlow 2.15",
            "n2v",
            ("n2v == 0.3.3", "tensorflow-cpu == 2.15.1", "numpy < 2"),
            "juglab_n2v.py",
            (3, 11),
        ),
        Peer("CAREamics 0.3.5", "careamics", CAREAMICS, "careamics_n2v.py"),
    ),
    "ssdn_tf": (Peer("the network in plain PyTorch", "careamics", CAREAMICS, "torch_ssdn.py"),),
}
# Where the programs agree: CAREamics has this kernel alone, and a square loss.
SETTINGS = {
    "n2v_tf": {
        "batch_size": 16,
        "kernel_size": 3,
        "width": 32,
        "depth": 2,
        "perc_pix": 1.5,
        "radius": 5,
        "manipulator": "uniform_withCP",
        "loss": "mse",
        "batch_norm": True,
    },
    "ssdn_tf": {"batch_size": 4, "crop_size": 64},
}


class Worker:
    """A program that waits for orders, see pace.py.

    command: list of str.
    errors: path of the file for what it prints.
    """

    def __init__(self, command, errors):
        self._errors = errors
        with open(errors, "w") as file:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=file, text=True
            )
        self._answer()  # its first step is done

    def times(self, steps):
        """Wall, user and system milliseconds of a step, the means of so many."""
        with contextlib.suppress(BrokenPipeError):  # the answer, or its lack, tells more
            self._process.stdin.write(f"{steps}\n")
            self._process.stdin.flush()
        return np.array(self._answer()) / steps * 1e3

    def _answer(self):
        line = self._process.stdout.readline()
        if not line:
            self.close()
            said = pathlib.Path(self._errors).read_text().strip().splitlines()
            last = said[-1] if said else "nothing"
            raise ValueError(f"{self._process.args[1]}: it ended, the last that it said: {last}")
        return [float(word) for word in line.split()]

    def close(self):
        """Ends the program."""
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


def python_of(peer, folder):
    """The interpreter of a peer's environment, which is made if it is missing.

    Raises:
        ValueError: its requirements have no wheels for this Python, or pip fails.
    """
    home = pathlib.Path(folder) / peer.environment
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = home / "installed"
    if done.is_file():
        return python
    if peer.python and sys.version_info[:2] > peer.python:
        newest = ".".join(map(str, peer.python))
        raise ValueError(f"{peer.label}: needs Python {newest} or older.")
    print(f"Installing {', '.join(peer.requirements)} into {home} (gigabytes) ...", flush=True)
    for command in (
        [sys.executable, "-m", "venv", str(home)],
        [str(python), "-m", "pip", "install", "--quiet", *peer.requirements],
    ):
        if subprocess.run(command, check=False).returncode:
            raise ValueError(f"{peer.label}: {' '.join(command[:4])} ... failed.")
    done.touch()
    return python


def noisy_crops(method, side=64):
    """(N, side, side, C) float32 crops of the sample photographs with noise of sigma 25."""
    config = dataclasses.replace(
        method.default_config, noise="gauss25", crop_size=side, batch_size=32, num_images=CROPS
    ).completed()
    batches = method.batches(method.training_images(config), config)
    found = [y["target"] for _, y in batches.take(CROPS // 32).as_numpy_iterator()]
    return np.concatenate(found)


def compare(method, folder, steps, precision):
    """Times steps of a method's peers and of ours: {label: (wall, user, system) ms}, medians.

    Args:
        method: with an entry in PEERS.
        folder: for the environments.
        steps: in a round; the programs take turns after each.
        precision: ours, besides float32.
    """
    settings = SETTINGS[method.name]
    commands = {}
    for ours in dict.fromkeys((precision, "float32")):
        text = json.dumps(settings | {"method": method.short_name, "precision": ours})
        commands[f"ours, {ours}"] = (sys.executable, "-m", "scripts.check.peers.ours", text)
    for peer in PEERS[method.name]:
        python = python_of(peer, folder)
        commands[f"{peer.label}, float32"] = (python, HERE / peer.script, json.dumps(settings))
    with tempfile.TemporaryDirectory() as scratch:
        crops = pathlib.Path(scratch) / "crops.npy"
        np.save(crops, noisy_crops(method))
        workers, times = {}, {label: [] for label in commands}
        try:
            for number, (label, command) in enumerate(commands.items()):
                *program, text = map(str, command)
                errors = pathlib.Path(scratch) / f"{number}.txt"
                workers[label] = Worker([*program, str(crops), text], errors)
                workers[label].times(WARM_UP)
            for _ in range(ROUNDS):
                for label, worker in workers.items():
                    times[label].append(worker.times(steps))
        finally:
            for worker in workers.values():
                worker.close()
    return {label: tuple(map(float, np.median(rows, axis=0))) for label, rows in times.items()}


def report(method, found):
    """The figures of `compare` as lines of text."""
    first = next(iter(found.values()))[0]
    size = SETTINGS[method.name]["batch_size"]
    yield f"{method.short_name}: steps of {size} crops of 64x64, in turn; ms, of them in user mode"
    yield "and in the kernel on all cores; times as long as the first"
    for label, (wall, user, system) in found.items():
        yield f"{label:46}{wall:8.1f} ms {user:8.1f} {system:8.1f} {wall / first:6.2f}"
