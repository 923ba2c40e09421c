"""D-BSN: learning from noisy images alone, or unpaired with clean ones (Wu et al. 2020)."""

import noise2x as _  # noqa: F401  # makes `common` importable, see noise2x/_paths.py
