"""Restores images with networks that never saw a clean one.

>>> import noise2x
>>> model = noise2x.load("runs/00003-ssdn-gauss25-blindspot-sigma_known")
>>> result = noise2x.denoise(image, model)
>>> result["denoised"], result["std"]

Importing this package loads neither Keras nor TensorFlow.
"""

from __future__ import annotations

from noise2x import _paths

_paths.insert()

from common import VERSION as __version__  # noqa: E402
from noise2x import methods  # noqa: E402
from noise2x.api import calibrate, denoise, load, save_calibration  # noqa: E402

__all__ = ["__version__", "calibrate", "denoise", "load", "methods", "save_calibration"]
