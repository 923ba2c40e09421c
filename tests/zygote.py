"""A process that has imported what every command imports, and forks for each one it is told to run.

Most of a command's time in a test is the start of Python and TensorFlow. Forked from here, where
nothing was computed yet, it starts as fresh, in milliseconds.

Reads a line of JSON for each command, {module, arguments, folder, timeout, cwd}; writes the exit
status as `status`, what it printed as `stdout` and `stderr` in the folder, and answers with a line.
"""

import json
import os
import runpy
import signal
import sys
import time


def main():
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
        print(json.dumps(_wait(child, job["timeout"])), flush=True)


def _become(job):
    """Runs the command as `python -m` does, and ends the process."""
    os.setsid()
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        file = os.open(os.path.join(job["folder"], name), os.O_WRONLY | os.O_CREAT)
        os.dup2(file, descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(job["cwd"])
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


def _wait(child, timeout):
    ends = time.monotonic() + timeout
    while time.monotonic() < ends:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


if __name__ == "__main__":
    main()
