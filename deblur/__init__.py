"""Deblurring as denoising: Noise2Noise on blurred images or spectra (Cadiou & Dervishi)."""

import noise2x as _  # noqa: F401  # makes `common` importable, see noise2x/_paths.py
