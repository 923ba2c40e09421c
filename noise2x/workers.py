"""What a worker of a dask cluster calls: under a name that every installation has.

A task travels by the name of its function. `scripts.tools.blocks` is known only to processes that
have imported `noise2x`; importing this module does so.
"""

from __future__ import annotations

import typing

if typing.TYPE_CHECKING:
    import numpy as np


def restore_block(
    block: np.ndarray, *, block_info: typing.Any = None, job: dict[str, typing.Any]
) -> np.ndarray:
    """Restores one block of an array, see scripts.tools.blocks.restore."""
    from scripts.tools import blocks

    return blocks.restore(block, block_info=block_info, job=job)
