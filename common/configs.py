"""Fields of a method's configuration that double as flags."""

import dataclasses
import math
import pathlib
import re


def setting(default, help, type=None):
    """A dataclass field with its help text; `type` where the default doesn't tell it."""
    metadata = {"help": help} | ({"type": type} if type else {})
    return dataclasses.field(default=default, metadata=metadata)


def check_values(config):
    """Refuses values of the wrong type and numbers that are not finite.

    Raises:
        ValueError: names the field; configurations also come from files.
    """
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        expected = field.metadata.get("type", type(field.default))
        if value is None and field.default is None:
            continue
        accepted = (int, float) if expected is float else expected
        if not isinstance(value, accepted) or (isinstance(value, bool) and expected is not bool):
            raise ValueError(f"{field.name}={value!r}: expected {expected.__name__}.")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{field.name}={value!r}: expected a finite number.")


def fast_precision():
    """bfloat16 where the processor multiplies it in hardware, twice as fast; float32 elsewhere."""
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    known = cpuinfo.read_text() if cpuinfo.is_file() else ""
    return "bfloat16" if re.search(r"\b(avx512_bf16|amx_bf16)\b", known) else "float32"
