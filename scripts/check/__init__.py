"""Checks of this project: against the originals, exported models, damaged files, speed."""
