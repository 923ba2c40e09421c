"""RDUNet, the supervised denoiser beside the self-supervised ones (Gurrola-Ramos et al. 2021)."""

import noise2x as _  # noqa: F401  # makes `common` importable, see noise2x/_paths.py
