"""The process that restores for the page: `noise2x denoise`, kept warm.

It reads jobs, a line of JSON each, and answers in lines of JSON:

    {"job": "restore", "folder": ..., "arguments": [...], "model": ..., "parts": ..., "replay": ...}
    {"job": "look", "folder": ..., "input": "input.jpg"}

    {"event": "line", "text": ...}; {"event": "step", "done": 3, "total": 10};
    {"event": "done", ...}; {"event": "failed", "error": "a sentence"}

What it writes is what the command would have written, for it is the command's code and flags.
"""

import contextlib
import functools
import io
import itertools
import json
import os
import pathlib
import sys
import traceback

import numpy as np

from common import progress, quiet
from common.commands import flags, running
from common.commands.denoise import plan
from common.files import listing
from common.files.errors import ImageError
from noise2x import methods

MODELS = 2  # that stay in memory


def main():
    """Does jobs until there are no more."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer

    def send(event, **content):
        print(json.dumps({"event": event, **content}), file=answers, flush=True)

    def step(_, done, total):
        send("step", done=done, total=total)

    home = os.getcwd()
    flags.define_denoising()
    quiet.import_keras()
    with contextlib.redirect_stdout(_Lines(send)), progress.watched(step):
        for line in sys.stdin:
            job = json.loads(line)
            try:
                os.chdir(job["folder"])  # so that lines name the file alone
                send("done", **JOBS[job["job"]](job))
            except (ValueError, OSError) as error:
                send("failed", error=running.one_line(error))
            except Exception as error:
                traceback.print_exc()
                send("failed", error=f"This went wrong here: {running.one_line(error)}")
            finally:
                os.chdir(home)  # Windows removes no folder that somebody is in


class _Lines(io.TextIOBase):
    """Sends on what the command prints, line by line; how far it is, is sent as steps."""

    def __init__(self, send):
        self._send, self._rest = send, ""

    def write(self, text):
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            if line and not line.endswith("min left"):
                self._send("line", text=line)
        return len(text)


@functools.lru_cache(maxsize=MODELS)
def load(model, precision):
    """The denoiser of a run folder or a shipped model."""
    return methods.of_run(model).load_deployed(model, precision)


def restore(job):
    """Restores a file as the command does; gives the names of what was written."""
    read_flags(job["arguments"])
    model, parts = job["model"], pathlib.Path(job["parts"])
    method = methods.of_run(model)
    file = listing.ImagePath(pathlib.Path(job["input"]), pathlib.Path(job["input"]))

    def choose(usual):
        numbers = itertools.count()
        if job["replay"]:
            return functools.partial(_replayed, parts, numbers), True
        return functools.partial(_recorded, usual, parts, numbers), True

    todo, do = plan(method, model, [file], choose, load=load)
    ((path, target, std),) = todo
    line = do(path, target, std)
    # Where the files go is nobody's business here; what else the line says is.
    progress.say("  ".join(part for part in line.split("  ")[1:] if not part.startswith("std: ")))
    return {"file": target.name, "std": std.name if std else None}


def _recorded(usual, parts, numbers, denoiser, inputs, **settings):
    """Restores a part as usual and keeps what the model returned."""
    result = usual(denoiser, inputs, **settings)
    parts.mkdir(parents=True, exist_ok=True)
    np.savez(parts / f"{next(numbers)}.npz", **result)
    return result


def _replayed(parts, numbers, denoiser, inputs, **settings):
    """What the model returned for this part before."""
    with np.load(parts / f"{next(numbers)}.npz", allow_pickle=False) as kept:
        return dict(kept)


def read_flags(arguments):
    """Sets the flags as a command line of their own would."""
    for name in flags.FLAGS:
        flags.FLAGS[name].unparse()
    flags.FLAGS(["noise2x denoise", *arguments])


def look(job):
    """Looks at the noise of a file; gives it in words, and draws it."""
    from scripts.tools import noise

    try:
        row, finding = next(noise.looks(pathlib.Path(job["input"])))
    except ImageError:
        return {"noise": {}}  # too small, or not grey or colour
    points = [(value, variance**0.5) for value, variance in finding.levels]
    if points:
        from common.evaluation import figures

        figures.save_lines(
            {"noise": points}, "noise.png", xlabel="value", ylabel="deviation of the noise"
        )
    text, kind = noise.words(row, finding), noise.kind(finding)
    return {"noise": {"text": text, "kind": kind, "plot": bool(points)}}


JOBS = {"restore": restore, "look": look}

if __name__ == "__main__":
    main()
