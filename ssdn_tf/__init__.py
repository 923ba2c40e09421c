"""Self-supervised denoising with a blind-spot network (Laine et al. 2019)."""

import noise2x as _  # noqa: F401  # makes `common` importable, see noise2x/_paths.py
