"""Deblurring as denoising: Noise2Noise on corrupted spectra (Cadiou & Dervishi)."""
