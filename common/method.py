"""What a method of restoration is: one class to subclass.

A package's `method.py` subclasses `Method` and overrides what differs from the defaults: at least
`build`, mostly `batches`. The commands, the scripts and `noise2x` know methods by this class alone.
docs/adding_a_method.md shows the way.

Importing this module, or a package's `method.py`, loads neither Keras nor TensorFlow: the methods
import what they use when they are called, so that `--help` answers at once.
"""

from __future__ import annotations

import dataclasses
import functools
import typing
from collections.abc import Callable, Iterator, Mapping

from common import configuration, processor

if typing.TYPE_CHECKING:
    import pathlib

    import keras
    import numpy as np
    import tensorflow as tf
    from PIL import Image

    from common.data.image_sets import ImageSet
    from common.networks.base import Denoiser
    from common.noise import Noise
    from common.types import Array, Example

Validator = Callable[["Denoiser"], "tuple[dict[str, float], Image.Image]"]
Baseline = Callable[..., "np.ndarray"]


@dataclasses.dataclass(frozen=True)
class Paper:
    """Where a method was published."""

    reference: str  # authors: title, venue year
    doi: str


class Method:
    """A way to restore images: its configurations, its model, its data, its scores.

    Attributes:
        name: of the package, for instance "ssdn_tf".
        summary: what it learns from, for `noise2x list`.
        paper: where it was published.
        named: configurations by name, all of one class.
        default: name of the configuration to start from.
        short: settings for the images that come with the project: minutes on two CPU cores.
        input_name: what to call the images that come in, in captions and file names.
        result_fields: name in the RESULT line -> field of the configuration that it shows.
        inspects_files: whether `train` looks at noisy files before it learns from them.
        knows_noise: whether the noise of the configuration is that of the files to restore.
        ready: names of the shipped models that restore files of so many channels if no model is
            named and nobody has trained one.
        restores_in_bfloat16: whether bfloat16 was measured to lose less than 0.02 dB; the table is
            in docs/performance.md.
    """

    name: str
    summary: str
    paper: Paper
    named: Mapping[str, configuration.Config]
    default: str
    short: Mapping[str, typing.Any]
    input_name: str = "noisy"
    result_fields: Mapping[str, str] = {}
    inspects_files: bool = False
    knows_noise: bool = True
    ready: Mapping[int, str] = {}
    restores_in_bfloat16: bool = False

    @property
    def short_name(self) -> str:
        """The name without "_tf", for the command line and run folders: ssdn, n2n-mri."""
        return short_name(self.name)

    @property
    def default_config(self) -> configuration.Config:
        """The configuration to start from."""
        return self.named[self.default]

    # The model

    def build(self, config: configuration.Config, images: ImageSet | None = None) -> Denoiser:
        """A new denoiser. Every method has its own.

        Args:
            config: completed.
            images: those it is going to be trained on; None for one that gets trained weights.
        """
        raise TypeError(f"{type(self).__name__} has no model: override build.")

    def optimizer(self, config: configuration.Config) -> keras.optimizers.Optimizer:
        """The optimiser with its schedule, as the setting `schedule` has it."""
        from common.training import optimizers

        return (
            optimizers.fast(config) if config.schedule == "fast" else self.paper_optimizer(config)
        )

    def paper_optimizer(self, config: configuration.Config) -> keras.optimizers.Optimizer:
        """The optimiser of `schedule=paper`; by default that of Laine et al. 2019."""
        from common.training import optimizers

        return optimizers.ramped_adam(config)

    def deployed(self, denoiser: Denoiser) -> Denoiser:
        """The model that restores files and is exported; by default the one that was trained."""
        return denoiser

    def load_config(self, run_dir: str | pathlib.Path) -> tuple[typing.Any, str]:
        """(configuration, fingerprint of the training images) of a run folder.

        Raises:
            runs.RunError: no run folder of this method.
        """
        from common.training import runs

        return runs.load_config(run_dir, self.name, type(self.default_config))

    def load(self, run_dir: str | pathlib.Path, precision: str = "float32") -> Denoiser:
        """The trained denoiser of a run folder.

        Args:
            run_dir: folder that `train` wrote.
            precision: arithmetic: float32, bfloat16, or auto for `restoring_precision`.

        Raises:
            runs.RunError: no run folder of this method, no weights yet, or damaged ones.
        """
        from common.training import runs

        config, _ = self.load_config(run_dir)
        config = self.as_trained(config, run_dir)
        if precision == "auto":
            precision = self.restoring_precision(config)
        denoiser = self.build(dataclasses.replace(config, precision=precision))
        runs.load_weights(run_dir, denoiser)
        return denoiser

    def restoring_precision(self, config: typing.Any) -> str:
        """Arithmetic to restore with: bfloat16 where the processor has it, if that is as good.

        It was measured with noise added to 8-bit photographs; models of other files have float32.
        """
        measured = not (config.noise.is_none or config.white_level)
        has = self.restores_in_bfloat16 and measured
        return processor.fast_precision() if has else "float32"

    def as_trained(self, config: typing.Any, run_dir: str | pathlib.Path) -> typing.Any:
        """The configuration for the weights that a run folder has now.

        A method whose stages train different parts overrides it, so that a model that is not
        finished does not use parts that have not been trained.
        """
        return config

    def load_deployed(self, run_dir: str | pathlib.Path, precision: str = "float32") -> Denoiser:
        """The model that restores files, of a run folder; see `load`."""
        return self.deployed(self.load(run_dir, precision))

    # Images to train on

    def load_images(
        self,
        config: typing.Any,
        data_dir: str | None = None,
        max_images: int | None = None,
    ) -> ImageSet:
        """The images of a configuration's training set, as stored.

        Args:
            config: names the set.
            data_dir: folder of the named sets; None for $N2X_DATA or ./datasets.
            max_images: at most so many, the first ones.

        Raises:
            ImageError: nothing there, or nothing readable.
        """
        from common.data import pipeline

        return pipeline.load_images(config, data_dir, max_images)

    def training_images(
        self,
        config: typing.Any,
        data_dir: str | None = None,
        max_images: int | None = None,
    ) -> ImageSet:
        """`load_images`, without those that are smaller than a crop.

        Raises:
            ValueError: all of them are too small, or otherwise unusable.
        """
        from common.data import pipeline

        return pipeline.usable_for_crops(self.load_images(config, data_dir, max_images), config)

    def batches(self, images: ImageSet, config: typing.Any, start: int = 0) -> tf.data.Dataset:
        """Batches (x, y) from number `start` on; see types.Inputs and types.Targets.

        By default noisy crops with themselves as targets.
        """
        from common.data import pipeline

        return pipeline.training_batches(images, config, start=start)

    def own_files(self, config: typing.Any) -> list[pathlib.Path]:
        """The noisy files that a configuration names, for the look at them; [] for a named set."""
        from common.data import datasets
        from common.files import listing

        is_named = config.train_set in datasets.NAMED or config.train_set == "sample"
        return [] if is_named else listing.list_files(config.train_set)

    def advise(self, config: typing.Any, reaches: list[tuple[str, int]]) -> list[str]:
        """What to do about correlated noise, in lines for the user; by default nothing.

        reaches: ("vertical" or "horizontal", over how many pixels), as inspection.report finds it.
        """
        return []

    def without_training(
        self, config: typing.Any, images: ImageSet, run_dir: str | None = None
    ) -> list[str]:
        """Whether a shipped model restores noisy images as well, in lines; by default nothing.

        Args:
            config: of the training.
            images: (H, W, C) or (D, H, W, C), as stored.
            run_dir: of a model that was trained on such images, to compare with.

        Raises:
            runs.RunError: no run folder of this method, or no weights yet.
            ValueError: that model was trained on other files.
        """
        return []

    # Images to score on

    def clean_example(self, image: np.ndarray, config: typing.Any) -> np.ndarray:
        """The clean image that a restored one is compared with, (H, W, C) float32 in [0, 1].

        image: as stored.
        """
        from common.files import pixels

        image = pixels.to_channels(image, config.channels, config.grey)
        return pixels.to_unit(image, config.white_level)

    def example_inputs(
        self,
        clean: np.ndarray,
        config: typing.Any,
        *,
        noise: Noise,
        seed: int,
        number: int,
    ) -> dict[str, Array]:
        """What the denoiser restores, made from a clean image by fixed draws.

        Args:
            clean: of `clean_example`.
            config: of the model.
            noise: to add.
            seed, number: of the draws.

        Returns:
            `noisy`, like `clean` but not clipped, `noise_level`, the noise parameter, and what else
            the method's denoiser or baselines take.
        """
        from common.data import pipeline

        noisy, level = pipeline.evaluation_noise(clean, noise, seed, number)
        return {"noisy": noisy, "noise_level": level}

    def examples(
        self,
        image_set: ImageSet,
        config: typing.Any,
        *,
        noise: Noise,
        seed: int = 0,
        repeats: int = 1,
    ) -> Iterator[Example]:
        """Yields (name, clean image, inputs) for each image, `repeats` times with other noise.

        Raises:
            ValueError: the noise is none: there is nothing to compare with.
            ImageError: an image that can't serve; names it.
        """
        from common.files.errors import ImageError

        if noise.is_none:
            raise ValueError(
                "noise='none': without clean images there is nothing to compare with; on clean "
                "ones --noise=gauss25 adds some."
            )
        for number, name, image in image_set.repeated(repeats):
            try:
                clean = self.clean_example(image, config)
                inputs = self.example_inputs(clean, config, noise=noise, seed=seed, number=number)
            except ValueError as error:
                raise ImageError(f"{name}: {error}") from error
            yield name, clean, inputs

    def reference_examples(
        self, noisy: ImageSet, clean: ImageSet, config: typing.Any
    ) -> Iterator[Example]:
        """Yields (name, reference scaled to [0, 1], inputs) for noisy files with references.

        Raises:
            ImageError: another number of files, or other sizes.
        """
        from common.evaluation import example_images

        return example_images.paired(noisy, clean, config.white_level)

    def validation_examples(
        self, config: typing.Any, data_dir: str | None = None
    ) -> Callable[[], Iterator[Example]]:
        """A function that yields a few examples to look at during the training.

        By default the middle of the first images of the validation set, with the validation noise,
        or as they are where they are noisy already.
        """
        from common.evaluation import example_images

        few = example_images.part_of(example_images.validation_images(config, data_dir), config)
        if config.noise.is_none:
            return functools.partial(example_images.as_they_are, few, config)
        config.validation_noise.check()
        return functools.partial(self.examples, few, config, noise=config.validation_noise)

    def validator(
        self, config: typing.Any, images: ImageSet, data_dir: str | None = None
    ) -> Validator:
        """A function of the denoiser that gives its figures and a contact sheet, see scoring.

        images: those that are trained on.

        Raises:
            ValueError: the validation images can't serve.
        """
        from common.evaluation import scoring

        examples = self.validation_examples(config, data_dir)
        for _ in examples():  # what is wrong with them shows now, not after hours
            pass
        return scoring.validator(examples, self.psnr, self.input_name)

    def psnr(self, clean: np.ndarray, restored: np.ndarray) -> float:
        """PSNR in dB of (H, W, C) images in [0, 1]; by default after rounding both to 8 bits."""
        from common.evaluation import quality

        return quality.psnr(clean, restored)

    # Classical methods to compare with

    @property
    def baselines(self) -> Mapping[str, Baseline]:
        """Classical methods by name; the first gives back what comes in."""
        from common.evaluation import baselines

        return baselines.NAMES

    def run_baseline(
        self, baseline: Baseline, inputs: Mapping[str, Array], sigma: float
    ) -> np.ndarray:
        """The image that one of `baselines` restores, (H, W, C).

        Args:
            baseline: one of `baselines`.
            inputs: of an example.
            sigma: standard deviation of the noise on [0, 1].
        """
        return baseline(inputs["noisy"], sigma)


def short_name(package: str) -> str:
    """A package's name as the command line has it: "ssdn" of ssdn_tf, "n2n-mri" of n2n_tf.mri."""
    return package.replace("_tf", "").replace(".", "-")
