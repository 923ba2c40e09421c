"""The arithmetic that this machine's processor is fast in."""

from __future__ import annotations

import pathlib
import re

# Linux' names for arithmetic in bfloat16 where it was measured to be fast.
BFLOAT16 = r"\b(avx512_bf16|amx_bf16)\b"


def fast_precision() -> str:
    """bfloat16 where the processor multiplies it in hardware, twice as fast; float32 elsewhere."""
    return "bfloat16" if re.search(BFLOAT16, _cpuinfo()) else "float32"


def doubt_of_precision(precision: str) -> str:
    """What speaks against computing in a precision on this processor, in a sentence, or ""."""
    known = _cpuinfo()
    # Any name for it will do, ARM's "bf16" too; where Linux tells nothing, nothing is said.
    if precision != "bfloat16" or not known or re.search(r"bf16\b", known):
        return ""
    return (
        "this processor has no arithmetic for bfloat16; without a GPU it takes many times as long "
        "as --precision=float32."
    )


def _cpuinfo() -> str:
    """What Linux says of the processor; "" elsewhere."""
    path = pathlib.Path("/proc/cpuinfo")
    return path.read_text() if path.is_file() else ""
