"""Super-resolution as the denoising of enlarged images (Cadiou & Dervishi, section 4.1)."""

import noise2x as _  # noqa: F401  # makes `common` importable, see noise2x/_paths.py
