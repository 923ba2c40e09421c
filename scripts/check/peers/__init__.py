"""Training steps of other programs beside ours: same data, same settings, taken in turn.

Every program runs in a process of its own, most in an environment of their own, and waits until it
is told to do some steps (pace.py). So all of them meet the same noise of a shared machine.
"""
