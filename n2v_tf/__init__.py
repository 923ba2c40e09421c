"""Noise2Void (Krull et al. 2019)."""
