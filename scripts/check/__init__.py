"""Checks of the project: against the originals, of exported models, damaged files and speed."""
