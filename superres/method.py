"""The method super-resolution: it restores enlarged images as if they were noisy."""

from common.method import Method
from n2n_tf.method import PAPER
from superres import configs


class SuperResolution(Method):
    """Super-resolution by Noise2Noise or Noise2Void (Cadiou & Dervishi, section 4.1)."""

    name = "superres"
    summary = "noisy images that are shrunk and enlarged again, or one image alone"
    paper = PAPER
    named = configs.NAMED
    default = configs.DEFAULT
    short = configs.SHORT
    input_name = "enlarged"
    knows_noise = False
    result_fields = {"scale": "scale"}

    def build(self, config, images=None):
        from superres import denoiser

        return denoiser.Denoiser(config)

    def deployed(self, denoiser):
        """The model that also enlarges the images, an `Upscaler`."""
        from superres.denoiser import Upscaler

        return Upscaler(denoiser)

    def paper_optimizer(self, config):
        """Adam with a constant rate that is ramped down, as in Noise2Noise."""
        from common.training import optimizers

        return optimizers.ramped_adam(config, ramp_up=0.0)

    def load_images(self, config, data_dir=None, max_images=None):
        from superres import data

        images = super().load_images(config, data_dir, max_images)
        return data.with_copies(images, config) if config.own_copies else images

    def batches(self, images, config, start=0):
        from superres import data

        return data.training_batches(images, config, start)

    def clean_example(self, image, config):
        """The clean image, cut to multiples of the scale as is usual in the field."""
        from superres import data

        return super().clean_example(data.cut_to_scale(image, config.scale), config)

    def example_inputs(self, clean, config, *, noise, seed, number):
        """Also returns `small` (H / scale, W / scale, C), the small image without noise."""
        from superres import data

        small, enlarged = data.shrink_and_enlarge(clean, config.scale)
        inputs = super().example_inputs(enlarged, config, noise=noise, seed=seed, number=number)
        return inputs | {"small": small}

    def reference_examples(self, noisy, clean, config):
        """Raises ValueError: this method shrinks the images itself, and takes no references."""
        raise ValueError("reference: this model is scored on images that it shrinks itself.")

    @property
    def baselines(self):
        from superres import classical

        return classical.NAMES

    def run_baseline(self, baseline, inputs, sigma):
        return baseline(inputs["noisy"], inputs["small"], sigma)


METHOD = SuperResolution()
