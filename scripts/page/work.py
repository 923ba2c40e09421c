"""The queue of the page, and the process that works it off."""

import json
import pathlib
import subprocess
import sys
import threading
import time

LINES = 50  # of a result, that are kept
LOG = "log.txt"
# Jobs after which the process makes way for a new one, when nothing waits: TensorFlow keeps some
# megabytes for every size of picture that it has seen.
JOBS = 100


class Work:
    """Does one job after the other in a process of its own, which starts with the first.

    Args:
        store: of the pictures.
        memory_gb: that a model may use.
        precision: as that of `noise2x denoise`.

    Attributes:
        version: counts changes, so that pages know when to look again.
    """

    def __init__(self, store, *, memory_gb, precision):
        self.version = 0
        self._store, self._memory_gb, self._precision = store, memory_gb, precision
        self._waiting, self._changed = [], threading.Condition(store.lock)
        self._process, self._current, self._closing, self._done = None, None, False, 0
        for picture in store.pictures.values():
            if picture.about["noise"] is None:
                self.look(picture)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def look(self, picture):
        """Puts the look at a picture's noise into the queue."""
        self._put(picture, None)

    def restore(self, picture, result):
        """Puts a Result into the queue, unless it is there or finished; gives the one there is.

        One of another strength is made from that of strength 1, which is put before it.
        """
        with self._store.lock:
            known = picture.results.get(result.id)
            if known is not None and known.state in ("waiting", "working", "done"):
                return known
            if not result.is_full:
                self.restore(picture, result.full)
            picture.results[result.id] = result
            picture.save(result)
            self._put(picture, result)
            return result

    def cancel(self, picture, result):
        """Takes a result, and those that would be made from it, from the queue; or stops it."""
        with self._store.lock:
            for other in picture.results.values():
                if other.state == "waiting" and (other is result or other.full.id == result.id):
                    self._waiting = [job for job in self._waiting if job[1] is not other]
                    self._finish(picture, other, "cancelled")
            if self._current is not None and self._current[1] is result:
                result.state = "cancelled"
                self._process.kill()

    def forget(self, picture):
        """Cancels all that is to be done for a picture."""
        with self._store.lock:
            self._waiting = [job for job in self._waiting if job[0] is not picture]
            if self._current is not None and self._current[0] is picture:
                if self._current[1] is not None:
                    self._current[1].state = "cancelled"
                self._process.kill()

    def close(self):
        """Ends the process and the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            if self._process is not None:
                self._process.kill()
        self._thread.join(10)
        self._stop()

    def touch(self):
        """Says that something has changed."""
        self.version += 1

    def _put(self, picture, result):
        with self._changed:
            self._waiting.append((picture, result))
            self.touch()
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
        self._started()  # Keras takes seconds, in which people look for their pictures
        while (job := self._next()) is not None:
            picture, result = job
            began = time.monotonic()
            try:
                found = self._do(picture, result)
                if found is None:
                    self._set(picture, result, "failed", error="The program that restores ended.")
                elif result is None:
                    self._set(picture, None, "done", **found)
                else:
                    seconds = time.monotonic() - began
                    self._set(picture, result, "done", seconds=seconds, **found)
            except _FailedError as error:
                self._set(picture, result, "failed", error=str(error))
            except OSError as error:
                self._set(picture, result, "failed", error=f"{error.strerror}.")
            with self._store.lock:
                self._current = None
                self.touch()
                self._done += 1
                if self._done >= JOBS and not self._waiting and not self._closing:
                    self._stop()
                    self._started()

    def _set(self, picture, result, state, **found):
        with self._store.lock:
            if picture.id not in self._store.pictures:
                return
            if result is None:
                picture.about["noise"] = found.get("noise", {})
                picture.save()
                return
            for name, value in found.items():
                setattr(result, name, value)
            self._finish(picture, result, "cancelled" if result.state == "cancelled" else state)

    def _finish(self, picture, result, state):
        result.state = state
        picture.save(result)
        self.touch()

    def _do(self, picture, result):
        """What a job gives; None if the process ended; raises _FailedError for a sentence."""
        process = self._started()
        job = self._job(picture, result)
        try:
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.flush()
        except OSError:
            return self._ended(process)
        if result is not None:
            with self._store.lock:
                if result.state == "waiting":
                    result.state = "working"
                self.touch()
        for line in process.stdout:
            answer = json.loads(line)
            event = answer.pop("event")
            if event == "done":
                return answer
            if event == "failed":
                raise _FailedError(_named(answer["error"], picture))
            with self._store.lock:
                if result is not None and event == "line":
                    result.lines = [*result.lines, _named(answer["text"], picture)][-LINES:]
                elif result is not None and event == "step":
                    result.doing, result.done = answer["doing"], answer["done"]
                    result.total = answer["total"]
                self.touch()
        return self._ended(process)

    def _stop(self):
        if self._process is not None:
            self._process.kill()
            self._ended(self._process)

    def _ended(self, process):
        process.wait()
        process.stdin.close()
        process.stdout.close()
        self._process = None

    def _started(self):
        """The process; a new one if there is none."""
        with self._store.lock:
            if self._closing:
                raise _FailedError("The page is being closed.")
            if self._process is not None and self._process.poll() is not None:
                self._ended(self._process)
            if self._process is None:
                self._done = 0
                with open(self._store.folder / LOG, "w") as log:
                    self._process = subprocess.Popen(
                        [sys.executable, "-m", "scripts.page.worker"],
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        stderr=log,
                        text=True,
                        cwd=pathlib.Path(__file__).parents[2],
                    )
            return self._process

    def _job(self, picture, result):
        if result is None:
            return {"job": "look", "folder": str(picture.folder), "input": picture.path.name}
        settings, folder = result.settings, picture.result_folder(result)
        parts = picture.parts(result)
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
            arguments.append("--calibrate")
            kept = picture.result_folder(result.full) / "input-calibration.json"
            if replay and kept.is_file():
                arguments[-1] = f"--calibration={kept.relative_to(picture.folder)}"
        if settings["std"]:
            arguments.append("--std")
        return {
            "job": "restore",
            "folder": str(picture.folder),
            "input": picture.path.name,
            "arguments": arguments,
            "model": settings["model"],
            "parts": str(parts),
            "replay": replay,
        }


class _FailedError(Exception):
    """A job can't be done; the text says why."""


def _named(text, picture):
    """A line of the program with the name of the picture, as people know it."""
    return text.replace(picture.path.name, picture.name)
