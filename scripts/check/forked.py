"""Commands that start in milliseconds: forked from a process that has imported what they import.

Most of a short command's time is the start of Python and TensorFlow. Forked from a process where
nothing was computed yet, it starts as fresh. `Commands` speaks to such a process, which is this
module run as a program: it reads a line of JSON for each command, writes what the command prints to
files, and answers with a line. POSIX only.
"""

from __future__ import annotations

import json
import os
import pathlib
import runpy
import signal
import subprocess
import sys
import tempfile
import time
import typing

ROOT = pathlib.Path(__file__).parent.parent.parent


class Commands:
    """Runs commands, one after the other; the process starts with the first."""

    def __init__(self) -> None:
        self._process: subprocess.Popen | None = None
        self._folder: tempfile.TemporaryDirectory | None = None
        self._started: list[str] = []

    def run(self, module: str, arguments: list[str], **settings: typing.Any):
        """Runs `python -m module arguments` to its end; see `start` and `finish`."""
        self.start(module, arguments, **settings)
        return self.finish()

    def start(
        self,
        module: str,
        arguments: list[str],
        *,
        cwd: str | pathlib.Path = ROOT,
        timeout: float = 300.0,
        sent: tuple[str, float] | None = None,
        file_size: int | None = None,
    ) -> None:
        """Starts a command, to be followed by `finish`.

        Args:
            module: to run as a program.
            arguments: its arguments.
            cwd: the folder to run in.
            timeout: seconds, after which it is killed.
            sent: name of a signal to send, such as SIGTERM, and seconds until then.
            file_size: bytes that a file may have; writing more fails as on a full disk.
        """
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "scripts.check.forked"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._process.stdin is not None
        self._folder = tempfile.TemporaryDirectory()
        self._started = [module, *arguments]
        job = {
            "module": module,
            "arguments": arguments,
            "folder": self._folder.name,
            "cwd": str(cwd),
            "timeout": timeout,
            "sent": sent,
            "file_size": file_size,
        }
        print(json.dumps(job), file=self._process.stdin, flush=True)

    def finish(self) -> subprocess.CompletedProcess:
        """The command that was started, at its end.

        Its returncode is negative if a signal ended it.

        Raises:
            subprocess.TimeoutExpired: it was killed after its timeout.
        """
        assert self._process is not None and self._process.stdout is not None
        assert self._folder is not None
        answer = json.loads(self._process.stdout.readline())
        folder = pathlib.Path(self._folder.name)
        out, err = ((folder / name).read_text(errors="replace") for name in ("stdout", "stderr"))
        self._folder.cleanup()
        if answer is None:
            raise subprocess.TimeoutExpired(self._started, 0.0, out, err)
        return subprocess.CompletedProcess(self._started, answer, out, err)

    def close(self) -> None:
        """Ends the process."""
        if self._process is not None:
            assert self._process.stdin is not None and self._process.stdout is not None
            self._process.stdin.close()
            self._process.stdout.close()
            self._process.wait()
            self._process = None


def main() -> None:
    """Runs the commands that come on standard input."""
    # What the commands of all packages import; none of it computes anything.
    import skimage.metrics  # noqa: F401

    from common import quiet

    quiet.import_keras()
    from common.evaluation import scoring  # noqa: F401
    from common.serving import saved_models  # noqa: F401
    from common.training import loop  # noqa: F401

    for line in sys.stdin:
        job = json.loads(line)
        child = os.fork()
        if not child:
            _become(job)
        print(json.dumps(_wait(child, job)), flush=True)


def _become(job):
    """Runs the command as `python -m` does, and ends the process."""
    os.setsid()
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        file = os.open(os.path.join(job["folder"], name), os.O_WRONLY | os.O_CREAT)
        os.dup2(file, descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(job["cwd"])
    if job["file_size"] is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (job["file_size"], job["file_size"]))
    sys.argv = [job["module"], *job["arguments"]]
    status = 1
    try:
        runpy.run_module(job["module"], run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _wait(child, job):
    """Exit code of the child, negative after a signal; None if it was killed at its timeout."""
    began = time.monotonic()
    sent = job["sent"]
    while (passed := time.monotonic() - began) < job["timeout"]:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if sent is not None and passed > sent[1]:
            os.kill(child, getattr(signal, sent[0]))
            sent = None
        time.sleep(0.01)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


if __name__ == "__main__":
    main()
