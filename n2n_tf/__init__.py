"""Noise2Noise: restoring images from pairs of noisy ones (Lehtinen et al. 2018)."""

import noise2x as _  # noqa: F401  # makes `common` importable, see noise2x/_paths.py
