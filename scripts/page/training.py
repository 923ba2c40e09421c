"""Trainings on one picture, each in a process of its own, from the page.

Noise2Void learns from nothing; SSDN begins with a shipped model, finds the noise in a minute, and
then knows how sure it is.
"""

import csv
import json
import math
import re
import subprocess
import sys
import threading

from scripts.page import processes, sentences

FOLDER = "training"
LOG = "training.txt"
# Lengths that are offered, in steps; the middle ones are five minutes and one on two cores.
STEPS = {"n2v": (500, 1500, 5000), "ssdn": (300, 600, 2000)}
STEPS_PER_EPOCH = 100
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
        begin_with: names of shipped SSDN models, by the channels of their pictures.
        precision: "float32" or "bfloat16".
    """

    def __init__(self, store, *, begin_with, precision):
        self._store, self._begin_with, self._precision = store, begin_with, precision
        self._last = None

    def offered(self, picture):
        """{method: numbers of steps} that suit a picture."""
        # SSDN takes values on [0, 1], and finds no noise that is a thousandth of it.
        suits = picture.about["dtype"] == "uint8" and picture.about["channels"] in self._begin_with
        return {name: steps for name, steps in STEPS.items() if name == "n2v" or suits}

    def start(self, picture, method, steps):
        """Trains on a picture, or goes on where a training of it was stopped.

        method, steps: of `offered`; a training that goes on keeps its own.

        Raises:
            ValueError: another training runs, or what is not offered.
        """
        offered = self.offered(picture)
        if not isinstance(method, str) or steps not in offered.get(method, ()):
            raise ValueError(sentences.NO_TRAINING)
        with self._store.lock:
            if self._last is not None and self._last.is_running:
                raise ValueError(sentences.TRAINING_ALREADY.format(name=self._last.picture.name))
            run_dir = picture.folder / FOLDER
            of_before, begun = _begun(run_dir)
            method = of_before or method
            own = self._n2v if method == "n2v" else self._ssdn
            command = [
                *(sys.executable, "-m", f"{method}_tf.train", f"--run_dir={run_dir}"),
                f"--channels={picture.about['channels']}",
                f"--precision={begun.get('precision', self._precision)}",
                *own(picture, begun, steps),
            ]
            command += ["--resume"] * bool(begun)
            self._last = Training(picture, command)

    @staticmethod
    def _n2v(picture, begun, steps):
        epochs = begun.get("epochs", steps // STEPS_PER_EPOCH)
        lengths = [f"--epochs={epochs}", f"--steps_per_epoch={STEPS_PER_EPOCH}"]
        return [f"--data_path={picture.path}", *lengths, "--loss=mse"]

    def _ssdn(self, picture, begun, steps):
        return [
            f"--train_set={picture.path}",
            f"--model={begun.get('model') or self._begin_with[picture.about['channels']]}",
            *("--noise=none", "--noise_params=global", "--schedule=fast"),
            *("--batch_size=1", "--crop_size=64", "--crop_growth=1"),
            f"--num_images={begun.get('num_images', steps)}",
            f"--eval_every={max(1, begun.get('num_images', steps) // 10)}",
        ]

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

        A dict: state (working, stopped, failed or done), line, curve (rows of images shown and
        loss), sample (name of the newest picture).
        """
        run_dir, last = picture.folder / FOLDER, self._of(picture)
        if last is None and not _begun(run_dir)[0]:
            return None
        state = "failed" if last is not None and last.error else "stopped"
        if last is not None and last.is_running:
            state = "working"
        elif is_finished(run_dir):
            state = "done"
        samples = _samples(picture)
        return {
            "state": state,
            "line": "" if last is None else last.error or last.line,
            "curve": _curve(run_dir / "log.csv"),
            "sample": samples[-1].name if samples else None,
        }

    def model(self, picture):
        """The run folder of a picture's training; None unless it is finished."""
        run_dir, last = picture.folder / FOLDER, self._of(picture)
        # While it begins, its folder may look like that of imported weights.
        is_running = last is not None and last.is_running
        return str(run_dir) if not is_running and is_finished(run_dir) else None

    def sample(self, picture):
        """The newest picture of the validation; LookupError if there is none."""
        samples = _samples(picture)
        if not samples:
            raise LookupError(sentences.NO_SAMPLE)
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


def _begun(run_dir):
    """(method, settings) of a training that has begun; ("", {}) if none has."""
    try:
        content = json.loads((run_dir / "config.json").read_text())
        return content["method"].removesuffix("_tf"), content["config"]
    except (OSError, ValueError, KeyError):
        return "", {}


def _samples(picture):
    # A name that begins with a dot is a file being written.
    return sorted((picture.folder / FOLDER / "samples").glob("[!.]*.png"))


def _curve(path):
    """Rows of a training's log: [images shown, loss], those with a loss that is a number."""
    try:
        with open(path, newline="") as file:
            rows = [(int(row["images"]), float(row["loss"])) for row in csv.DictReader(file)]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [[images, loss] for images, loss in rows if math.isfinite(loss)]
