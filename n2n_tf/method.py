"""The method Noise2Noise: it learns from added noise, or from acquired pairs."""

from common.method import Method, Paper
from n2n_tf import configs

PAPER = Paper("Lehtinen et al.: Noise2Noise, ICML 2018", "10.48550/arXiv.1803.04189")


class Noise2Noise(Method):
    """Noise2Noise (Lehtinen et al. 2018)."""

    name = "n2n_tf"
    summary = "pairs of noisy images of one scene: noise, text, lost pixels (Noise2Noise)"
    paper = PAPER
    named = configs.NAMED
    default = configs.DEFAULT
    short = configs.SHORT
    ready = {3: "photo", 1: "photo-grey"}
    restores_in_bfloat16 = True

    def build(self, config, images=None):
        from n2n_tf import denoiser

        return denoiser.Denoiser(config)

    def paper_optimizer(self, config):
        """Adam or SGD, with a rate that is constant and then ramped down.

        As in the original: tests/golden/lr_schedules.npz.
        """
        import keras

        from common.training import optimizers

        ramps = {"ramp_up": 0.0, "ramp_down": config.ramp_down}
        if config.optimizer == "sgd":
            return keras.optimizers.SGD(optimizers.ramped_rate(config, **ramps), momentum=0.9)
        return optimizers.ramped_adam(config, **ramps)

    def load_images(self, config, data_dir=None, max_images=None):
        from n2n_tf import data

        return data.load_images(config, data_dir, max_images)

    def training_images(self, config, data_dir=None, max_images=None):
        """The images, small ones enlarged to the crop; see data.training_images."""
        from n2n_tf import data

        return data.training_images(config, data_dir, max_images)

    def batches(self, images, config, start=0):
        from n2n_tf import data

        return data.training_batches(images, config, start)

    def validation_examples(self, config, data_dir=None):
        from n2n_tf import data

        if config.pairs:
            return data.pair_examples(config)
        return super().validation_examples(config, data_dir)


METHOD = Noise2Noise()
