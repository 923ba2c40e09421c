"""Fields of a method's configuration that double as flags."""

import dataclasses
import pathlib
import re


def setting(default, help, type=None):
    """A dataclass field with its help text; `type` where the default doesn't tell it."""
    metadata = {"help": help} | ({"type": type} if type else {})
    return dataclasses.field(default=default, metadata=metadata)


def fast_precision():
    """bfloat16 where the processor multiplies it in hardware, twice as fast; float32 elsewhere."""
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    known = cpuinfo.read_text() if cpuinfo.is_file() else ""
    return "bfloat16" if re.search(r"\b(avx512_bf16|amx_bf16)\b", known) else "float32"
