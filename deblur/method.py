"""The method deblurring: it learns from pairs of images blurred by different kernels."""

from common.method import Method
from deblur import configs
from n2n_tf.method import PAPER


class Deblurring(Method):
    """Deblurring by Noise2Noise (Cadiou & Dervishi, section 4.2)."""

    name = "deblur"
    summary = "pairs of images blurred by different kernels"
    paper = PAPER
    named = configs.NAMED
    default = configs.DEFAULT
    short = configs.SHORT
    input_name = "blurred"
    knows_noise = False
    result_fields = {"blur": "validation_blur"}

    def build(self, config, images=None):
        from deblur import denoiser

        return denoiser.Denoiser(config)

    def paper_optimizer(self, config):
        """Adam with a constant rate that is ramped down, as in Noise2Noise."""
        from common.training import optimizers

        return optimizers.ramped_adam(config, ramp_up=0.0)

    def batches(self, images, config, start=0):
        from deblur import data

        return data.training_batches(images, config, start)

    def example_inputs(self, clean, config, *, noise, seed, number):
        """Also returns `kernel` (h, w), the blur of this image, for the classical methods."""
        from deblur import data

        blurred, kernel = data.blurred_example(clean, config, seed, number)
        inputs = super().example_inputs(blurred, config, noise=noise, seed=seed, number=number)
        return inputs | {"kernel": kernel}

    @property
    def baselines(self):
        from deblur import classical

        return classical.NAMES

    def run_baseline(self, baseline, inputs, sigma):
        """Runs a classical method with the true kernel.

        Raises:
            ValueError: the kernel is not known, as for files of the user's own.
        """
        if "kernel" not in inputs:
            raise ValueError("baselines: the blur kernel of your own files is not known.")
        return baseline(inputs["noisy"], inputs["kernel"], sigma)


METHOD = Deblurring()
