"""RDUNet, a supervised denoiser to compare the others with (Gurrola-Ramos et al. 2021)."""

import noise2x as _  # noqa: F401  # makes `common` importable, see noise2x/_paths.py
