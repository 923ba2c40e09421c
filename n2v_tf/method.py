"""The method Noise2Void: it learns from single noisy images by hiding pixels."""

from common.method import Method, Paper
from n2v_tf import configs


class Noise2Void(Method):
    """Noise2Void (Krull et al. 2019) as in juglab's n2v 0.3, with N2V2 and structN2V."""

    name = "n2v_tf"
    summary = "single noisy images, even one file, by hiding pixels (Noise2Void); volumes too"
    paper = Paper("Krull, Buchholz, Jug: Noise2Void, CVPR 2019", "10.1109/CVPR.2019.00223")
    named = configs.NAMED
    default = configs.DEFAULT
    short = configs.SHORT
    inspects_files = True

    def build(self, config, images=None):
        """A new denoiser that standardises by mean and deviation of `images`."""
        from n2v_tf import denoiser

        model = denoiser.Denoiser(config)
        if images is not None:
            model.set_statistics(images.mean, images.std)
        return model

    def paper_optimizer(self, config):
        """Adam (0.9, 0.999) with a constant rate that is ramped down over the last 30 %.

        The original, like `N2V.train`, halves the rate when the validation loss has not fallen for
        10 epochs. The ramp depends on the step alone, so that a resumed run continues exactly.
        """
        from common.training import optimizers

        rate = optimizers.ramped_rate(config, ramp_up=0.0)
        return optimizers.Adam(rate, beta_2=0.999, epsilon=1e-7)

    def load_images(self, config, data_dir=None, max_images=None):
        from n2v_tf import data

        return data.load_images(config, data_dir, max_images)

    def training_images(self, config, data_dir=None, max_images=None):
        """The images as a data.TrainingSet, with their mean and deviation."""
        from n2v_tf import data

        return data.with_statistics(super().training_images(config, data_dir, max_images), config)

    def batches(self, images, config, start=0):
        from n2v_tf import data

        return data.training_batches(images, config, start)

    def own_files(self, config):
        from common.data import own_files

        if not config.data_path:
            return []
        return own_files.find(config.data_path, config.file_pattern)

    def advise(self, config, reaches):
        """Advises a structN2V kernel that hides the pixels with correlated noise."""
        if config.struct_kernel is not None or not reaches:
            return []
        name, reach = reaches[0]
        kernel = f"{name}{2 * reach + 1}"
        if len(reaches) == 2:
            kernel = "x".join(str(2 * reach + 1) for _, reach in reaches)
        return [f"--struct_kernel={kernel} hides the neighbours too (structN2V)."]

    def without_training(self, config, images, run_dir=None):
        """Compares a shipped model that is calibrated for these images; see Method."""
        from common.evaluation import without_training
        from n2n_tf.method import METHOD as READY  # whose shipped models restore files

        name = READY.ready.get(config.channels)
        if config.spatial != 2 or name is None:
            return ["Without a training: no shipped model restores volumes or such channels."]
        model = READY.load_deployed(name, "auto")
        if run_dir is None:
            return without_training.report(model, name, images.images)
        trained = self.load_deployed(run_dir, "auto")
        check_values(trained, images, run_dir)
        for_shared_noise = trained.config.struct_kernel is not None
        return without_training.report(
            model, name, images.images, trained, run_dir, for_shared_noise
        )

    def validation_examples(self, config, data_dir=None):
        from common.evaluation import example_images

        if not config.data_path:
            return super().validation_examples(config, data_dir)
        few = self.load_images(config, data_dir, example_images.how_many(config))
        few = example_images.part_of(few, config)
        return lambda: example_images.as_they_are(few, config)

    def validator(self, config, images, data_dir=None):
        """Figures of the examples, and the loss on crops that the training never sees."""
        from n2v_tf import data

        look = super().validator(config, images, data_dir)
        x, y = data.validation_batch(images, config)

        def validate(denoiser):
            figures, sheet = look(denoiser)
            loss = denoiser.compute_loss(x, y, denoiser.predict_on_batch(x))
            return figures | {"loss": float(loss)}, sheet

        return validate


def check_values(trained, images, run_dir):
    """Refuses a trained model of other files than these.

    Args:
        trained: denoiser.Denoiser.
        images: ImageSet of (H, W, C), as stored.
        run_dir: its folder, to name it.

    Raises:
        ValueError: other axes or channels, or a mean further from these images' than they spread.
    """
    import numpy as np

    config = trained.config
    fits = trained.spatial == 2 and config.channels == images.images[0].shape[-1]
    if fits:
        white = config.white_level or 1.0
        means = np.mean([image.mean(axis=(0, 1)) for image in images.images], axis=0) / white
        stds = np.mean([image.std(axis=(0, 1)) for image in images.images], axis=0) / white
        fits = bool((np.abs(means - np.asarray(trained.mean)) <= np.maximum(stds, 1e-9)).all())
    if not fits or not config.noise.is_none:
        raise ValueError(f"{run_dir}: was not trained on files like these.")


METHOD = Noise2Void()
