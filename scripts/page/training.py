"""Noise2Void trained on one picture, in a process of its own, from the page."""

import csv
import json
import math
import re
import subprocess
import sys
import threading

from scripts.page import processes

FOLDER = "training"
LOG = "training.txt"
STEPS_PER_EPOCH = 100
# Lengths that are offered; 15 epochs, 1,500 steps, are five minutes on two cores.
EPOCHS = (5, 15, 50)
SECONDS = 30  # in which a training that is stopped writes its checkpoint


class Training:
    """A running or ended process that trains on a picture.

    Args:
        picture: of the store.
        command: the command line.

    Attributes:
        line: what it printed last, without paths.
        error: the sentence that it ended with, or "".
    """

    def __init__(self, picture, command):
        self.picture, self.line, self.error = picture, "", ""
        self._is_stopped = False
        with open(picture.folder / LOG, "w") as log:
            self._process = processes.start(command, stdout=subprocess.PIPE, stderr=log)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def is_running(self):
        """Whether the process has not ended."""
        return self._process.poll() is None

    def stop(self):
        """Asks it to stop; its checkpoint stays."""
        self._is_stopped = True
        if self.is_running:
            self._process.send_signal(processes.STOP)

    def end(self):
        """Stops it and waits until it has ended, or ends it."""
        self.stop()
        try:
            self._process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._thread.join(SECONDS)

    def _listen(self):
        with self._process.stdout:
            for line in self._process.stdout:
                # The folders in the lines of the command are nobody's business here.
                self.line = re.sub(r"\s*\([^()]*[/\\][^()]*\)", "", line.strip())
        if self._process.wait() and not self._is_stopped:
            lines = (self.picture.folder / LOG).read_text().splitlines()
            errors = [line for line in lines if line.startswith("error: ")]
            self.error = (errors or ["error: The training ended."])[-1].removeprefix("error: ")


class Trainings:
    """The trainings of pictures; one runs at a time.

    Args:
        store: of the pictures.
        precision: "float32" or "bfloat16".
    """

    def __init__(self, store, *, precision):
        self._store, self._precision, self._last = store, precision, None

    def start(self, picture, epochs):
        """Trains on a picture, or goes on where a training of it was stopped.

        epochs: one of EPOCHS; a training that goes on keeps its own.

        Raises:
            ValueError: another training runs, or a number of epochs that is not offered.
        """
        if type(epochs) is not int or epochs not in EPOCHS:
            raise ValueError(f"epochs: expected one of {', '.join(map(str, EPOCHS))}.")
        with self._store.lock:
            if self._last is not None and self._last.is_running:
                raise ValueError(f"{self._last.picture.name} is being trained on; stop that first.")
            run_dir = picture.folder / FOLDER
            begun = _settings(run_dir)
            command = [
                *(sys.executable, "-m", "n2v_tf.train", f"--run_dir={run_dir}"),
                *(f"--data_path={picture.path}", f"--epochs={begun.get('epochs', epochs)}"),
                *(f"--steps_per_epoch={STEPS_PER_EPOCH}", "--loss=mse"),
                f"--channels={picture.about['channels']}",
                f"--precision={begun.get('precision', self._precision)}",
            ]
            command += ["--resume"] * bool(begun)
            self._last = Training(picture, command)

    def stop(self, picture):
        """Stops a picture's training; its checkpoint stays."""
        if (last := self._of(picture)) is not None:
            last.stop()

    def forget(self, picture):
        """Ends a picture's training before the picture is removed."""
        if (last := self._of(picture)) is not None:
            last.end()

    def close(self):
        """Ends whatever runs."""
        if self._last is not None:
            self._last.end()

    def describe(self, picture):
        """State of a picture's training, for the page: None if there is none.

        A dict: state (working, stopped, failed or done), line, epochs, curve (rows of images shown
        and loss), sample (whether there is a picture), model (the run folder if it is done).
        """
        run_dir, last = picture.folder / FOLDER, self._of(picture)
        begun = _settings(run_dir)
        if last is None and not begun:
            return None
        finished = is_finished(run_dir)
        state = "done" if finished else "failed" if last is not None and last.error else "stopped"
        if last is not None and last.is_running:
            state = "working"
        samples = _samples(picture)
        return {
            "state": state,
            "line": "" if last is None else last.error or last.line,
            "epochs": begun.get("epochs"),
            "curve": _curve(run_dir / "log.csv"),
            "sample": samples[-1].name if samples else None,
            "model": str(run_dir) if finished else None,
        }

    def sample(self, picture):
        """The newest picture of the validation; LookupError if there is none."""
        samples = _samples(picture)
        if not samples:
            raise LookupError("There is no picture of this training yet.")
        return samples[-1]

    def _of(self, picture):
        return self._last if self._last is not None and self._last.picture is picture else None


def is_finished(run_dir):
    """Whether a run folder holds a finished training."""
    from common.training import runs

    try:
        return runs.is_finished(run_dir)
    except (ValueError, OSError):
        return False


def _settings(run_dir):
    """The settings of a training that has begun; {} if none has."""
    try:
        return json.loads((run_dir / "config.json").read_text())["config"]
    except (OSError, ValueError, KeyError):
        return {}


def _samples(picture):
    return sorted((picture.folder / FOLDER / "samples").glob("*.png"))


def _curve(path):
    """Rows of a training's log: [images shown, loss], those with a loss that is a number."""
    try:
        with open(path, newline="") as file:
            rows = [(int(row["images"]), float(row["loss"])) for row in csv.DictReader(file)]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [[images, loss] for images, loss in rows if math.isfinite(loss)]
