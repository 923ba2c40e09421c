"""The classes of juglab's n2v 0.3 under their names: its notebooks run with another import."""

from common import quiet  # noqa: F401  # isort: skip

from n2v_tf.juglab.config import N2VConfig
from n2v_tf.juglab.generator import N2V_DataGenerator
from n2v_tf.juglab.model import N2V

__all__ = ["N2V", "N2VConfig", "N2V_DataGenerator"]
