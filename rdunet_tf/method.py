"""The method RDUNet: it learns from clean targets, or from noisy ones as Noise2Noise does."""

from common.method import Method, Paper
from rdunet_tf import configs


class RDUNet(Method):
    """RDUNet (Gurrola-Ramos et al. 2021), a supervised method to compare the others with."""

    name = "rdunet_tf"
    summary = "clean images to which it adds noise: the supervised yardstick"
    paper = Paper("Gurrola-Ramos et al.: RDUNet, IEEE Access 2021", "10.1109/ACCESS.2021.3061062")
    named = configs.NAMED
    default = configs.DEFAULT
    short = configs.SHORT

    def build(self, config, images=None):
        from rdunet_tf import denoiser

        return denoiser.Denoiser(config)

    def paper_optimizer(self, config):
        """AdamW; its rate is halved after every seventh of the training, 3 of 21 epochs."""
        import keras

        from common.training import schedules

        rate = schedules.Halved(
            num_images=config.num_images,
            batch_size=config.batch_size,
            learning_rate=config.learning_rate,
            times=6,
        )
        return keras.optimizers.AdamW(rate, weight_decay=config.weight_decay, epsilon=1e-8)

    def batches(self, images, config, start=0):
        from common.data import pipeline

        return pipeline.noise2noise_batches(images, config, start)


METHOD = RDUNet()
