"""Faults on purpose: what `scripts.check.fuzz` damages, a file for each kind of input."""
