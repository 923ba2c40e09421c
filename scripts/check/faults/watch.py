"""Runs functions on damaged inputs, and counts what must not happen."""

import signal
import time
import traceback

from scripts.check import memory

MEMORY = 1e9  # largest growth of the memory, bytes


class Watch:
    """Runs functions, and counts and reports their failures.

    Args:
        seconds: time that a function may take for an input.
    """

    def __init__(self, seconds):
        self._seconds, self.slowest = seconds, 0.0
        self.inputs = self.tracebacks = self.hangs = self.others = 0
        self._start = memory.peak()
        signal.signal(signal.SIGALRM, _time_is_up)

    @property
    def failed(self):
        """Number of failures of all kinds."""
        return self.tracebacks + self.hangs + self.others

    def run(self, label, function, count=1):
        """Calls a function; errors that are meant for users, ValueError and OSError, are allowed.

        Args:
            label: names the call in reports.
            function: called without arguments.
            count: number of inputs that it handles.
        """
        self.inputs += count
        signal.alarm(int(self._seconds * count))
        began = time.monotonic()
        try:
            function()
        except (ValueError, OSError):
            pass
        except TimeIsUp:
            self.hang(f"{label}: longer than {self._seconds * count} s")
        except KeyboardInterrupt:  # whoever stops the program
            raise
        except BaseException:
            self.trace(f"{label}:\n{traceback.format_exc()}")
        finally:
            signal.alarm(0)
        took = (time.monotonic() - began) / count
        if took > max(self.slowest, self._seconds / 2):
            print(f"Slow, {took:.1f} s an input: {label}", flush=True)
        self.slowest = max(self.slowest, took)
        if memory.peak() - self._start > MEMORY:
            self.fail(f"{label}: memory grew to {memory.peak() / 1e9:.1f} GB")
            self._start = memory.peak()

    def begin(self):
        """Begins another kind of input: memory that grew before does not count against it."""
        self._start = memory.peak()

    def trace(self, line):
        """Counts and prints an exception that is not meant for users."""
        self.tracebacks += 1
        print(f"WRONG {line}", flush=True)

    def hang(self, line):
        """Counts and prints an input that took too long."""
        self.hangs += 1
        print(f"WRONG {line}", flush=True)

    def fail(self, line):
        """Counts and prints another failure."""
        self.others += 1
        print(f"WRONG {line}", flush=True)

    def summary(self, name="fuzz", what="inputs"):
        """The line that ends a report."""
        others = f", {self.others} other failures" if self.others else ""
        return (
            f"{name}: {self.inputs} {what}, {self.tracebacks} tracebacks, {self.hangs} hangs"
            f"{others}"
        )


class TimeIsUp(BaseException):
    """An input takes too long. Not an Exception, which the tested program could catch."""


def _time_is_up(*unused):
    raise TimeIsUp
