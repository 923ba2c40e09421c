"""Drawn slices through heads, to train on where there are no real ones."""

from __future__ import annotations

import numpy as np
from skimage import data, draw, transform

from common.files import pixels

SIZE = 128  # side of a slice, pixels
COUNTS = {"train": 200, "held_back": 16}
FINER = 4  # slices are drawn larger by this factor and averaged, for soft edges


def make(part: str) -> list[np.ndarray]:
    """Draw (128, 128, 1) uint8 slices, always the same ones.

    part: "train" for random ellipses within an ellipse; "held_back" for the Shepp-Logan phantom
        and other random slices.
    """
    rng = np.random.default_rng(["train", "held_back"].index(part))
    slices = [_random_slice(rng) for _ in range(COUNTS[part])]
    if part == "held_back":
        slices[0] = transform.resize(data.shepp_logan_phantom(), (SIZE, SIZE), anti_aliasing=True)
    return [pixels.from_unit(s[..., None], np.uint8) for s in slices]


def _random_slice(rng):
    """Draw one slice, (128, 128) float in [0, 1]."""
    side = SIZE * FINER
    canvas = np.zeros((side, side))

    centre = side / 2 + rng.uniform(-0.05, 0.05, 2) * side
    tall, wide = rng.uniform(0.34, 0.45) * side, rng.uniform(0.26, 0.36) * side
    skull = draw.ellipse(*centre, tall, wide, canvas.shape)
    canvas[skull] = rng.uniform(0.7, 1.0)
    thickness = rng.uniform(0.015, 0.04) * side
    inside = draw.ellipse(*centre, tall - thickness, wide - thickness, canvas.shape)
    canvas[inside] = rng.uniform(0.15, 0.5)
    brain = np.zeros_like(canvas, bool)
    brain[inside] = True
    for _ in range(rng.integers(6, 20)):
        distance, direction = rng.uniform(0, 0.75), rng.uniform(0, 2 * np.pi)
        row = centre[0] + distance * tall * np.sin(direction)
        column = centre[1] + distance * wide * np.cos(direction)
        size = rng.uniform(0.01, 0.14, 2) * side
        spot = draw.ellipse(row, column, *size, canvas.shape, rotation=rng.uniform(-np.pi, np.pi))
        change = np.zeros_like(canvas)
        change[spot] = rng.uniform(-0.25, 0.35)
        canvas += change * brain
    soft = canvas.reshape(SIZE, FINER, SIZE, FINER).mean(axis=(1, 3))
    return np.clip(soft, 0.0, 1.0)
