"""How far a long piece of work is: a bar in a terminal, a line every ten seconds in a log."""

from __future__ import annotations

import contextlib
import sys
import time
import typing
from collections.abc import Callable, Iterator

SECONDS = 10.0  # between two lines
BAR_SECONDS = 0.5  # between two looks at the figures beside a bar


# Whom every Progress tells, see `watched`.
_watchers: list[Callable[[str, int, int], typing.Any]] = []


def say(line: str) -> None:
    """Prints a line at once, also into a pipe."""
    print(line, flush=True)


@contextlib.contextmanager
def watched(watch: Callable[[str, int, int], typing.Any]) -> Iterator[None]:
    """Within the block watch(label, done, total) is called at every step of every work."""
    _watchers.append(watch)
    try:
        yield
    finally:
        _watchers.remove(watch)


class Progress:
    """Counts steps, and shows how many are done and how long the rest takes.

    Args:
        total: steps in all.
        label: what the work is about, before each line.
        unit: what a step is.
        initial: steps that an earlier run has done.
        show: called with each line, in a log.
        bar: whether to draw a bar [if standard error is a terminal].
        share: share(done) is the share of the whole work, where steps do not take equally long;
            lines of a log tell with it what is left. A bar does not know it.
    """

    def __init__(
        self,
        total: int,
        label: str = "",
        *,
        unit: str = "image",
        initial: int = 0,
        show: Callable[[str], typing.Any] = say,
        bar: bool | None = None,
        share: Callable[[int], float] | None = None,
    ) -> None:
        self._share = share or (lambda done: done / max(total, 1))
        self._total, self._label, self._unit, self._show = total, label, unit, show
        self._done = self._initial = initial
        self._began = time.monotonic()
        self._counted = False
        # The first line of a training tells how long it takes; shorter work needs none.
        self._shown = self._began
        self._bar = None
        if sys.stderr.isatty() if bar is None else bar:
            import tqdm

            self._bar = tqdm.tqdm(
                total=total, initial=initial, desc=label or None, unit=unit, leave=False
            )

    def step(self, count: int = 1, details: Callable[[], str] | None = None) -> None:
        """Counts `count` steps more; details: gives more to show, called only when it is shown."""
        self._done += count
        for watch in _watchers:
            watch(self._label, self._done, self._total)
        if not self._counted:
            # The first step also traces and builds; what it took says nothing of the others.
            self._counted, self._initial = True, self._done
            self._began = self._shown = time.monotonic()
            if self._bar is None:
                return
        if self._bar is not None:
            if details is not None and time.monotonic() - self._shown > BAR_SECONDS:
                self._shown = time.monotonic()
                self._bar.set_postfix_str(details(), refresh=False)
            self._bar.update(count)
            return
        now = time.monotonic()
        if now - self._shown > SECONDS:
            self._shown = now
            self._show(self.line(details))

    def line(self, details: Callable[[], str] | None = None) -> str:
        """What a line of the log says now."""
        seconds = time.monotonic() - self._began
        rate = (self._done - self._initial) / max(seconds, 1e-9)
        share = self._share(self._done)
        left = seconds * (1 - share) / max(share - self._share(self._initial), 1e-9) / 60
        more = f"{details()}  " if details else ""
        return (
            f"{self._label}{': ' if self._label else ''}{self._unit} {self._done} of {self._total} "
            f"({100 * self._done / self._total:.0f} %)  {more}{rate:.2f} {self._unit}s/s  "
            f"{left:.1f} min left"
        )

    def say(self, line: str) -> None:
        """Prints a line, above the bar if there is one."""
        if self._bar is not None:
            self._bar.clear()
        self._show(line)

    def close(self) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            self._bar.close()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()
