"""The queue of the page, and the process that works it off."""

import contextlib
import json
import logging
import subprocess
import sys
import threading
import time

from scripts.page import processes, sentences

log = logging.getLogger(__name__)

LINES = 50  # of a result, that are kept
LOG = "log.txt"
# Jobs after which the process makes way for a new one, when nothing waits: TensorFlow keeps some
# megabytes for every size of picture that it has seen.
JOBS = 100
SECONDS = 20  # in which the thread ends when the page is closed


class Work:
    """Does one job after the other in a process of its own, which starts at once.

    A job is a picture and a Result; or a picture and None, for a look at its noise.

    Args:
        store: of the pictures.
        memory_gb: that a model may use.
        precision: as that of `noise2x denoise`.
    """

    def __init__(self, store, *, memory_gb, precision):
        self._store, self._memory_gb, self._precision = store, memory_gb, precision
        self._waiting, self._changed = [], threading.Condition(store.lock)
        self._process, self._current, self._closing, self._count = None, None, False, 0
        for picture in store.pictures.values():
            if picture.about["noise"] is None:
                self.look(picture)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def look(self, picture):
        """Puts the look at a picture's noise into the queue."""
        self._put(picture, None)

    def restore(self, picture, result):
        """Puts a Result into the queue and returns it, or an equal one that is there already.

        One of another strength is made from that of strength 1, which is put before it.
        """
        with self._store.lock:
            known = picture.results.get(result.id)
            if known is not None and known.state in ("waiting", "working", "done"):
                return known
            if not result.is_full:
                self.restore(picture, result.full)
            picture.save(result)
            picture.results[result.id] = result
            self._put(picture, result)
            return result

    def cancel(self, picture, result):
        """Takes a result, and those that would be made from it, from the queue; or stops it."""
        with self._store.lock:
            for other in list(picture.results.values()):
                if other.state == "waiting" and (other is result or other.full.id == result.id):
                    self._waiting = [job for job in self._waiting if job[1] is not other]
                    self._end(picture, other, "cancelled")
            if self._current is not None and self._current[1] is result:
                self._end(picture, result, "cancelled")
                self._kill()

    def forget(self, picture):
        """Cancels all that is to be done for a picture."""
        with self._store.lock:
            self._waiting = [job for job in self._waiting if job[0] is not picture]
            if self._current is not None and self._current[0] is picture:
                self._kill()

    def close(self):
        """Ends the process and the thread; what was being done is interrupted."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            self._kill()
        self._thread.join(SECONDS)
        self._leave()

    def _put(self, picture, result):
        with self._changed:
            self._waiting.append((picture, result))
            self._changed.notify_all()

    def _next(self):
        """The next job: other strengths first, which are quick, and looks at the noise last."""

        def order(job):
            _, result = job
            if result is None:
                return 2
            return 1 if result.is_full else 0

        with self._changed:
            while not self._waiting and not self._closing:
                self._changed.wait()
            if self._closing:
                return None
            ready = [job for job in self._waiting if self._is_ready(*job)]
            self._current = min(ready or self._waiting, key=order)
            self._waiting.remove(self._current)
            return self._current

    @staticmethod
    def _is_ready(picture, result):
        """Whether a job can begin: one of another strength waits for that of strength 1."""
        if result is None or result.is_full:
            return True
        full = picture.results.get(result.full.id)
        return full is None or full.state not in ("waiting", "working")

    def _run(self):
        self._begin()
        while (job := self._next()) is not None:
            try:
                self._work_on(*job)
            except Exception:  # the next job must be done whatever this one did
                log.exception("a job failed")
            with self._store.lock:
                self._current = None
                self._count += 1
                if self._count >= JOBS and not self._waiting:
                    self._leave()
                    self._begin()

    def _work_on(self, picture, result):
        began = time.monotonic()
        answer, error = None, "The program that restores ended; is there too little memory?"
        try:
            answer = self._ask(picture, result)
        except _FailedError as failure:
            error = str(failure)
        except OSError as failure:
            error = f"{failure.strerror}."
        with self._store.lock:
            self._current = None
            if picture.id not in self._store.pictures:
                return
            if result is None:
                if not self._closing:  # otherwise it is looked at the next time
                    picture.about["noise"] = {} if answer is None else answer["noise"]
                    picture.save()
            elif result.state == "working":
                if answer is not None:
                    result.file, result.std = answer["file"], answer["std"]
                    result.seconds = time.monotonic() - began
                    self._end(picture, result, "done")
                elif self._closing:
                    self._end(picture, result, "interrupted")
                else:
                    result.error = error
                    self._end(picture, result, "failed")

    def _end(self, picture, result, state):
        result.state, result.ended = state, time.time()
        try:
            picture.save(result)
        except OSError as error:
            log.error("%s: can't be kept: %s", picture.name, error)

    def _ask(self, picture, result):
        """What the process answers; None if it ended; raises _FailedError for a sentence."""
        with self._store.lock:
            if result is not None:
                if result.state != "waiting":  # cancelled meanwhile
                    return None
                result.state = "working"
            process = self._started()
            job = self._job(picture, result)
        try:
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.flush()
            for line in process.stdout:
                answer = json.loads(line)
                event = answer.pop("event")
                if event == "done":
                    return answer
                if event == "failed":
                    raise _FailedError(_named(answer["error"], picture))
                if result is not None:
                    self._hear(picture, result, event, answer)
        except (BrokenPipeError, json.JSONDecodeError):
            pass  # it ended, maybe in the middle of a line
        self._leave()
        return None

    def _hear(self, picture, result, event, answer):
        """Takes in what the process says of its work."""
        with self._store.lock:
            if event == "line":
                result.lines = [*result.lines, _named(answer["text"], picture)][-LINES:]
            elif event == "step":
                result.done, result.total = answer["done"], answer["total"]

    def _begin(self):
        """Starts the process before there is work: Keras takes seconds."""
        try:
            self._started()
        except (OSError, _FailedError) as error:
            log.error("the program that restores does not start: %s", error)

    def _kill(self):
        if self._process is not None:
            self._process.kill()

    def _leave(self):
        """Forgets the process, which has ended or ends now."""
        with self._store.lock:
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):  # for what was not sent any more
                    stream.close()

    def _started(self):
        """The process; a new one if there is none."""
        with self._store.lock:
            if self._closing:
                raise _FailedError(sentences.CLOSING)
            if self._process is not None and self._process.poll() is not None:
                self._leave()
            if self._process is None:
                self._count = 0
                with open(self._store.folder / LOG, "w") as output:
                    self._process = processes.start(
                        [sys.executable, "-m", "scripts.page.worker"],
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        stderr=output,
                    )
            return self._process

    def _job(self, picture, result):
        """A job as worker.py reads it."""
        if result is None:
            return {"job": "look", "folder": str(picture.folder), "input": picture.path.name}
        settings, folder = result.settings, picture.result_folder(result)
        full = picture.results.get(result.full.id)
        replay = not result.is_full and full is not None and full.state == "done"
        arguments = [
            f"--model={settings['model']}",
            f"--output={folder.relative_to(picture.folder)}",
            f"--strength={settings['strength']}",
            f"--memory_gb={self._memory_gb}",
            f"--precision={self._precision}",
        ]
        if settings["noise_level"] is not None:
            arguments.append(f"--noise_level={settings['noise_level']}")
        if settings["calibrate"]:
            kept = picture.result_folder(result.full) / "input-calibration.json"
            again = f"--calibration={kept.relative_to(picture.folder)}"
            arguments.append(again if replay and kept.is_file() else "--calibrate")
        if settings["std"]:
            arguments.append("--std")
        return {
            "job": "restore",
            "folder": str(picture.folder),
            "input": picture.path.name,
            "arguments": arguments,
            "model": settings["model"],
            "parts": str(picture.parts(result)),
            "replay": replay,
        }


class _FailedError(Exception):
    """A job can't be done; the text says why."""


def _named(text, picture):
    """A line of the program with the name of the picture, as people know it."""
    return text.replace(picture.path.name, picture.name)
