"""Untrained denoisers for tests."""

from scripts.check import untrained


def build(name, **settings):
    """An untrained denoiser as it restores files, of a method's default configuration.

    name: of the package; settings: of the configuration; `config` names another one.
    """
    return untrained.build(name, settings)
