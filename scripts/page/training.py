"""Noise2Void trained on one picture, in a process of its own, from the page."""

import csv
import pathlib
import re
import signal
import subprocess
import sys
import threading

FOLDER = "training"
STEPS_PER_EPOCH = 100
# Training steps that are offered; 1,500 are five minutes on two cores.
EPOCHS = (5, 15, 50)


class Trainings:
    """The trainings of pictures; one runs at a time.

    Args:
        store: of the pictures.
        touch: called when something has changed.
        precision: "float32" or "bfloat16".
    """

    def __init__(self, store, touch, *, precision):
        self._store, self._touch, self._precision = store, touch, precision
        self._process, self._picture, self._line = None, None, ""

    def start(self, picture, epochs):
        """Trains on a picture, or goes on where a training of it was stopped.

        Raises:
            ValueError: another picture's training runs, or a number of epochs that is not offered.
        """
        if epochs not in EPOCHS:
            raise ValueError(f"epochs: expected one of {', '.join(map(str, EPOCHS))}.")
        with self._store.lock:
            if self._is_running():
                raise ValueError(f"{self._picture.name} is being trained on; stop that first.")
            run_dir = picture.folder / FOLDER
            command = [sys.executable, "-m", "n2v_tf.train"]
            command += [f"--run_dir={run_dir}", f"--data_path={picture.path}"]
            command += [f"--epochs={epochs}", f"--steps_per_epoch={STEPS_PER_EPOCH}", "--loss=mse"]
            command += [f"--channels={picture.about['channels']}", f"--precision={self._precision}"]
            command += ["--resume"] * (run_dir / "config.json").exists()
            self._picture, self._line = picture, "Starting ..."
            with open(picture.folder / "training.txt", "a") as log:
                self._process = subprocess.Popen(
                    command,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    cwd=pathlib.Path(__file__).parents[2],
                )
            threading.Thread(target=self._listen, args=[self._process], daemon=True).start()
        self._touch()

    def stop(self, picture):
        """Stops a picture's training; its checkpoint stays."""
        with self._store.lock:
            process = self._process if self._picture is picture and self._is_running() else None
        if process is not None:
            process.send_signal(signal.SIGTERM)

    def forget(self, picture):
        """Stops a picture's training before the picture is removed."""
        self.stop(picture)
        with self._store.lock:
            process = self._process if self._picture is picture else None
        if process is not None:
            process.wait(30)

    def close(self):
        """Stops whatever runs."""
        if self._is_running():
            self._process.terminate()
            self._process.wait(30)

    def describe(self, picture):
        """State of a picture's training, for the page: None if there is none."""
        run_dir = picture.folder / FOLDER
        mine = self._picture is picture
        running = mine and self._is_running()
        if not mine and not run_dir.is_dir():
            return None
        curve = []
        if (run_dir / "log.csv").is_file():
            with open(run_dir / "log.csv", newline="") as file:
                for row in csv.DictReader(file):
                    images, loss = row.get("images"), row.get("loss")
                    curve.append([int(images), float(loss), float(row.get("val_loss") or "nan")])
        samples = sorted((run_dir / "samples").glob("*.png"))
        return {
            "state": "working" if running else "done" if is_finished(run_dir) else "stopped",
            "line": self._line if mine else "",
            "curve": [[n, loss, val if val == val else None] for n, loss, val in curve],
            "sample": samples[-1].name if samples else None,
            "model": str(run_dir) if is_finished(run_dir) else None,
        }

    def sample(self, picture):
        """The newest picture of the validation; LookupError if there is none."""
        samples = sorted((picture.folder / FOLDER / "samples").glob("*.png"))
        if not samples:
            raise LookupError("There is no picture of this training yet.")
        return samples[-1]

    def _is_running(self):
        return self._process is not None and self._process.poll() is None

    def _listen(self, process):
        for line in process.stdout:
            self._line = re.sub(r"\s*\([^()]*[/\\][^()]*\)", "", line.strip())  # no paths
            self._touch()
        process.wait()
        if process.returncode not in (0, 143):
            self._line = self._error() or "The training ended with an error."
        process.stdout.close()
        self._touch()

    def _error(self):
        """The sentence that the training ended with."""
        lines = (self._picture.folder / "training.txt").read_text().splitlines()
        errors = [line for line in lines if line.startswith("error: ")]
        return errors[-1].removeprefix("error: ") if errors else ""


def is_finished(run_dir):
    """Whether a run folder holds a finished training."""
    from common.training import runs

    try:
        return runs.is_finished(run_dir)
    except (ValueError, OSError):
        return False
