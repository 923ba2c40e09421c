"""common.progress: lines now and then in a log, a bar in a terminal."""

import io
import sys

from common import progress


def test_short_work_prints_nothing_and_long_work_a_line_now_and_then(monkeypatch):
    lines = []
    clock = iter(float(second) for second in range(0, 1000, 4))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with progress.Progress(5, "work", unit="part", show=lines.append, bar=False) as steps:
        for _ in range(5):
            steps.step(details=lambda: "loss 0.5")
    assert 0 < len(lines) < 5
    assert lines[0].startswith("work: part ") and "of 5 (" in lines[0]
    assert "loss 0.5" in lines[0] and lines[0].endswith(" min left")
    monkeypatch.undo()
    lines.clear()
    steps = progress.Progress(3, show=lines.append, bar=False)
    for _ in range(3):
        steps.step()
    assert not lines


def test_the_time_left_is_that_of_the_steps_after_the_first(monkeypatch):
    """The first of 10 steps takes 100 s, for it traces; the others 12 s each."""
    lines = []
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    steps = progress.Progress(10, show=lines.append, bar=False)
    for seconds in (100, 12, 12):
        now[0] += seconds
        steps.step()
    assert [line.split("  ")[-1] for line in lines] == ["1.6 min left", "1.4 min left"]


def test_a_resumed_work_counts_from_where_it_was():
    steps = progress.Progress(10, unit="image", initial=8, bar=False)
    steps.step()
    assert "image 9 of 10 (90 %)" in steps.line()


def test_a_terminal_gets_a_bar_and_lines_above_it(monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)
    lines = []
    with progress.Progress(4, "files", show=lines.append, bar=True) as steps:
        for _ in range(4):
            steps.step(details=lambda: "psnr 30")
        steps.say("one is bad")
    assert lines == ["one is bad"]
    assert "files" in screen.getvalue() and "%" in screen.getvalue()
