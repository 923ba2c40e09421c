"""The method distillation: a plain denoiser that learns from a D-BSN and unpaired clean images."""

import dataclasses

from common import noise as noises
from common.method import Method
from dbsn_tf.distill import configs
from dbsn_tf.method import METHOD as DBSN


class Distillation(Method):
    """Knowledge distillation of D-BSN (Wu et al. 2020, section 3.4)."""

    name = "dbsn_tf.distill"
    summary = "clean images, noisy ones of other scenes, and a D-BSN that knows their noise"
    paper = DBSN.paper
    named = configs.NAMED
    default = configs.DEFAULT
    short = configs.SHORT
    result_fields = {"network": "network"}

    def build(self, config, images=None):
        from dbsn_tf.distill import denoiser

        return denoiser.Denoiser(config)

    def paper_optimizer(self, config):
        """Adam at a constant rate, which is ramped down at the end."""
        from common.training import optimizers

        return optimizers.ramped_adam(config, ramp_up=0.0)

    def training_images(self, config, data_dir=None, max_images=None):
        """The clean images, with the teacher's results for the noisy ones; see data.load."""
        from dbsn_tf.distill import data

        # Clean images may be made grey or colour, also where the noisy ones are files of one's own.
        clean = dataclasses.replace(config, noise=noises.Gauss(25, 25), validation_noise=None)
        images = super().training_images(clean, data_dir, max_images)
        return data.load(images, config, data_dir)

    def batches(self, images, config, start=0):
        from dbsn_tf.distill import data

        return data.training_batches(images, config, start)


METHOD = Distillation()
