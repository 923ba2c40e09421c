"""The method D-BSN: a dilated blind-spot network with networks of variances, and Bayes' rule."""

import dataclasses

from common.method import Method, Paper
from dbsn_tf import configs


class DBSN(Method):
    """D-BSN (Wu et al. 2020)."""

    name = "dbsn_tf"
    summary = "single noisy images, by a dilated blind-spot network that also tells their noise"
    paper = Paper(
        "Wu et al.: Unpaired Learning of Deep Image Denoising, ECCV 2020",
        "10.48550/arXiv.2008.13711",
    )
    named = configs.NAMED
    default = configs.DEFAULT
    short = configs.SHORT
    result_fields = {"variance": "variance"}
    inspects_files = True

    def build(self, config, images=None):
        from dbsn_tf import denoiser

        return denoiser.Denoiser(config)

    def as_trained(self, config, run_dir):
        """Restores by the mean alone where the variances have not been trained yet."""
        from common.training import runs

        steps = runs.trained_steps(run_dir)
        is_first = steps is not None and config.stage_at(max(steps - 1, 0)) == "mu"
        return dataclasses.replace(config, stage="mu") if is_first else config

    def paper_optimizer(self, config):
        """Adam at a constant rate, which is ramped down at the end."""
        from common.training import optimizers

        return optimizers.ramped_adam(config, ramp_up=0.0)


METHOD = DBSN()
