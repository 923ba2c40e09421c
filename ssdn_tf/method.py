"""The method SSDN: blind-spot networks, and baselines that use a plain network."""

from common.method import Method, Paper
from ssdn_tf import configs

# The targets of the pipelines; in the others the target is the noisy image itself.
TARGETS = {"n2c": "clean", "n2n": "second"}


class SSDN(Method):
    """SSDN (Laine et al. 2019), trained by Adam with their ramped rate, the default of Method."""

    name = "ssdn_tf"
    summary = "single noisy images, by a blind-spot network and Bayes' rule; predicts uncertainty"
    paper = Paper(
        "Laine et al.: High-Quality Self-Supervised Deep Image Denoising, NeurIPS 2019",
        "10.48550/arXiv.1901.10277",
    )
    named = configs.NAMED
    default = configs.DEFAULT
    short = configs.SHORT
    inspects_files = True
    ready = {3: "ssdn-gauss5_50", 1: "ssdn-gauss5_50-grey"}
    restores_in_bfloat16 = True

    def build(self, config, images=None):
        from ssdn_tf import denoiser

        return denoiser.Denoiser(config)

    def paper_optimizer(self, config):
        """Adam with a ramped rate; of the workshop paper with its usual betas and one rate."""
        from common.training import optimizers

        if config.as_workshop:
            rate = optimizers.ramped_rate(config, ramp_up=0.0, ramp_down=0.0)
            return optimizers.Adam(rate, beta_2=0.999)
        return super().paper_optimizer(config)

    def batches(self, images, config, start=0):
        from common.data import pipeline

        targets = TARGETS.get(config.pipeline, "noisy")
        return pipeline.training_batches(images, config, targets=targets, start=start)


METHOD = SSDN()
