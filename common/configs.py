"""Fields of a method's configuration that double as flags."""

import dataclasses


def setting(default, help, type=None):
    """A dataclass field with its help text; `type` where the default doesn't tell it."""
    metadata = {"help": help} | ({"type": type} if type else {})
    return dataclasses.field(default=default, metadata=metadata)
