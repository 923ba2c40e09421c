"""Noise2Noise: restoring images from pairs of noisy ones (Lehtinen et al. 2018)."""
