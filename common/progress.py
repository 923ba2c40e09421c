"""How far a long piece of work is, said every ten seconds."""

import time

SECONDS = 10.0


class Progress:
    """Counts steps and says now and then how many are done and how long the rest takes.

    total: steps in all; label: before each line; what: a step is; show: called with a line.
    """

    def __init__(self, total, label="", *, what="image", show=print):
        self._total, self._label, self._what, self._show = total, label, what, show
        self._done = 0
        self._began = self._shown = time.monotonic()

    def step(self, count=1):
        self._done += count
        now = time.monotonic()
        if now - self._shown > SECONDS:
            self._shown = now
            left = (now - self._began) / self._done * (self._total - self._done) / 60
            self._show(
                f"{self._label}{self._what} {self._done} of {self._total}  {left:.1f} min left"
            )
