"""The method Noise2Noise for MRI: slices whose spectra are sampled at random."""

from common.method import Method
from n2n_tf.method import PAPER
from n2n_tf.mri import configs


class MRI(Method):
    """Noise2Noise for MRI (Lehtinen et al. 2018, section 3.4)."""

    name = "n2n_tf.mri"
    summary = "undersampled spectra of magnetic resonance images (Noise2Noise)"
    paper = PAPER
    named = configs.NAMED
    default = configs.DEFAULT
    short = configs.SHORT

    def build(self, config, images=None):
        from n2n_tf.mri import denoiser

        return denoiser.Denoiser(config)

    def paper_optimizer(self, config):
        """Adam; its rate and beta_1 follow epoch_schedules, with 300 epochs in a training."""
        from common.training import optimizers
        from n2n_tf.mri import epoch_schedules

        rate = epoch_schedules.by_epoch(epoch_schedules.rate, config.learning_rate, config)
        beta_1 = epoch_schedules.by_epoch(epoch_schedules.beta_1, 1.0, config)
        return optimizers.Adam(rate, beta_1=beta_1)

    def load_images(self, config, data_dir=None, max_images=None):
        from n2n_tf.mri import data

        return super().load_images(config, data_dir, max_images).each(data.odd_sides)

    def batches(self, images, config, start=0):
        from n2n_tf.mri import data

        return data.training_batches(images, config, start)

    def clean_example(self, image, config):
        from n2n_tf.mri import data

        return super().clean_example(data.odd_sides(image), config)

    def example_inputs(self, clean, config, *, noise, seed, number):
        from n2n_tf.mri import data

        return data.example_inputs(clean, noise, seed, number)

    def validation_examples(self, config, data_dir=None):
        """Whole slices and not their centres: a part of a slice has another spectrum."""
        import functools

        from common.evaluation import example_images

        few = example_images.validation_images(config, data_dir)
        return functools.partial(self.examples, few, config, noise=config.validation_noise)

    def psnr(self, clean, restored):
        """PSNR in dB of values clipped to [0, 1], without rounding."""
        from common.evaluation import quality

        return quality.psnr_clamped(clean, restored)


METHOD = MRI()
