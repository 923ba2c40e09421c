"""Processes beside the page's own, which a Ctrl-C in the terminal does not reach."""

import pathlib
import signal
import subprocess
import sys

# Where `python -m` finds this project.
ROOT = pathlib.Path(__file__).parents[2]
# What asks a process to stop and to write down how far it is.
STOP = signal.CTRL_BREAK_EVENT if sys.platform == "win32" else signal.SIGTERM


def start(command, **streams):
    """Starts a process; streams: those of subprocess.Popen, as text."""
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    else:
        apart = {"start_new_session": True}
    return subprocess.Popen(command, text=True, cwd=ROOT, **apart, **streams)
