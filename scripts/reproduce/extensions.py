"""Deblurring and super-resolution of `noise2x reproduce`: trainings, scores, curves.

The columns of the table are average PSNR values, dB:
given: the network's input.
linear: a linear method; bicubic interpolation of small images without noise, or
    `best_fixed_filter` for kernels around a Dirac.
restored: the network's output.
fitted: the network's output after the affine change of its grey values that brings it nearest to
    the clean image.

Reference: Cadiou & Dervishi, "Self-supervised methods for low-level vision", sections 4.1 and 4.2.
"""

import dataclasses

import numpy as np

from common.commands import flags
from common.data import datasets
from common.files import image_files, pixels, tables
from deblur import kernels
from noise2x import methods
from scripts.reproduce import sheets, trainings

FLAGS = flags.FLAGS


@dataclasses.dataclass(frozen=True)
class Row:
    """A training, and the configurations under which it is scored.

    num_images: length of the training at scale 1, in crops.
    flags: of the training.
    scored: dicts of changes of the configuration, one for each line of the table.
    """

    num_images: int
    flags: tuple = ()
    scored: tuple = ({},)


def _blurs(*texts):
    """Changes of the configuration to other validation kernels."""
    return tuple({"validation_blur": text} for text in texts)


UNIT_SUM = {"unit_sum": True}
STRENGTHS = _blurs("dirac0.5", "dirac1", "dirac2")
DEBLUR = {
    # The report's formulations.
    "log": Row(6000, ("--formulation=log",), ({}, UNIT_SUM)),
    "log_nodc": Row(6000, ("--formulation=log_nodc",), ({}, UNIT_SUM)),
    "log_nodc-weak": Row(
        6000,
        ("--formulation=log_nodc", "--blur=lognormal0_0.2", "--validation_blur=lognormal0.1"),
        ({}, UNIT_SUM),
    ),
    "log-sigma50": Row(
        2000, ("--formulation=log", "--blur=lognormal0_50", "--validation_blur=lognormal25")
    ),
    "multiplicative": Row(
        6000,
        ("--formulation=multiplicative",),
        ({}, UNIT_SUM, {"kernel_size": 5}, {"kernel_size": 5} | UNIT_SUM),
    ),
    "multiplicative-strong": Row(
        6000,
        (
            "--formulation=multiplicative",
            "--unit_sum",
            "--blur=dirac0.5",
            "--validation_blur=dirac0.5",
        ),
        ({}, {"kernel_size": 5}),
    ),
    "convolve": Row(20_000, (), STRENGTHS + _blurs("motion9", "disc2")),
    "convolve-motion": Row(
        20_000,
        ("--blur=motion3_15", "--validation_blur=motion9"),
        _blurs("motion5", "motion9", "motion15", "disc2", "dirac1"),
    ),
    # What makes `convolve` work: trainings of equal length that change one setting each.
    "ablation": Row(6000, (), STRENGTHS),
    "ablation-random_sum": Row(6000, ("--nounit_sum",), STRENGTHS),
    "ablation-random_sum-clean": Row(6000, ("--nounit_sum", "--targets=clean"), STRENGTHS),
    "ablation-clean": Row(6000, ("--targets=clean",), STRENGTHS),
    "ablation-noise": Row(6000, ("--noise=gauss5",), STRENGTHS),
    "ablation-weak": Row(6000, ("--blur=dirac0.5", "--validation_blur=dirac0.5"), STRENGTHS),
    "ablation-strong": Row(6000, ("--blur=dirac2", "--validation_blur=dirac2"), STRENGTHS),
    "ablation-range": Row(6000, ("--blur=dirac0_2",), STRENGTHS),
    "ablation-size9": Row(6000, ("--kernel_size=9",), STRENGTHS),
}
SUPERRES = {
    "noisy_hr": Row(20_000),
    "bicubic-n2n": Row(6000, ("--target=bicubic",)),
    "bicubic-n2v": Row(6000, ("--learner=n2v",)),
    "bicubic-n2n-gauss10": Row(6000, ("--target=bicubic", "--noise=gauss10")),
    "bicubic-n2v-gauss10": Row(6000, ("--learner=n2v", "--noise=gauss10")),
    "single_image": Row(1500, ("--target_noise=gauss0", "--own_copies")),
}


def deblurring(names, output):
    """Trains and scores deblurring; names: keys of `DEBLUR`; output: folder, a pathlib.Path."""
    _reproduce("deblur", {name: DEBLUR[name] for name in names}, output)


def superresolution(names, output):
    """Trains and scores super-resolution; names: keys of `SUPERRES`; output: a pathlib.Path."""
    _reproduce("superres", {name: SUPERRES[name] for name in names}, output)


def _reproduce(package, rows, output):
    """Trains, scores on both data sets, and writes the table and the figures."""
    method, table, results, run_dirs, steps = methods.find(package), [], [], {}, None
    sets = [FLAGS.dataset] if FLAGS.dataset else ["set12", "bsd68"]
    image_sets = [
        datasets.load(name, FLAGS.data_dir, held_back=True, max_images=FLAGS.max_images)
        for name in sets
    ]
    for name, row in rows.items():
        if name == "single_image":
            restore, scored_on = _SingleImages(method, output / name, row), image_sets[:1]
        else:
            settings = [*row.flags, *_settings(sets[0])]
            arguments = trainings.arguments(package, output / name, row.num_images, settings)
            restore, scored_on = _Restorer(arguments), image_sets
            run_dirs[name] = trainings.run_dir(arguments)
            results += _results(method, name, restore, image_sets[0])
            steps = _steps(method, restore, image_sets[0]) or steps
        for image_set in scored_on:
            for changes in row.scored:
                config = dataclasses.replace(restore.config, **changes)
                line = {
                    "name": name,
                    "scored": " ".join(f"{k}={v}" for k, v in changes.items()) or "as validated",
                    "dataset": image_set.name,
                    "images": len(image_set),
                    "noise": config.validation_noise,
                    **_scores(method, config, image_set, restore),
                    "command": "python " + " ".join(restore.arguments),
                }
                table.append(line)
                print(" ".join(f"{k}={v}" for k, v in line.items() if k != "command"), flush=True)
                tables.write(output / "table.csv", table)
    trainings.save_curves(run_dirs, output)
    if results:
        sheets.write(output / "results.png", results, crop=(192, 256))
    if steps:
        sheets.write(output / "steps.png", steps)
    print(f"Table: {output}/table.csv")


def _results(method, name, restore, image_set):
    """Rows of pictures of a training image and of a test image: clean, given and restored."""
    from common.evaluation import scoring

    config, rows = restore.config, []
    learned = method.load_images(config, FLAGS.data_dir, max_images=1)
    for kind, images in (("training", learned), ("test", image_set)):
        examples = method.examples(images.first(1), config, noise=config.validation_noise)
        for _, clean, inputs in examples:
            result = {"denoised": restore("", inputs)}
            caption = f"{name}, {kind}"
            rows.append(
                scoring.sheet_row(caption, clean, inputs["noisy"], result, input_name="given")
            )
    return rows


def _steps(method, restore, image_set):
    """Rows of the steps of a method on the first image; None if there is nothing to show."""
    config = restore.config
    examples = method.examples(image_set.first(1), config, noise=config.validation_noise)
    _, clean, inputs = next(iter(examples))
    if method.name == "superres":
        return sheets.superresolution_steps(clean, inputs, restore("", inputs))
    if not config.is_logarithmic:
        return None
    side = config.crop_size
    top, left = ((length - side) // 2 for length in clean.shape[:2])
    blurred = np.asarray(inputs["noisy"])[top : top + side, left : left + side]
    return sheets.cepstrum_steps(restore.model, blurred)


def _scores(method, config, image_set, restore):
    """Scores a model: dict of column -> average PSNR in dB, as text; "" for an empty column."""
    from common.evaluation import quality, scoring

    columns = ("given", "linear", "restored", "fitted")
    scores = {column: scoring.Scores() for column in columns}
    noise = config.validation_noise
    examples = method.examples(image_set, config, noise=noise)
    for number, (_, clean, inputs) in enumerate(examples):
        restored = restore(f"{number:03d}", inputs)
        images = {"given": inputs["noisy"], "restored": restored}
        images["fitted"] = quality.fitted(restored, clean)
        if "small" in inputs:
            images["linear"] = pixels.resize(inputs["small"], clean.shape[:2])
        elif config.validation_blur.startswith("dirac") and config.unit_sum and config.kernel_size:
            images["linear"] = best_fixed_filter(inputs["noisy"], config)
        for column, image in images.items():
            scores[column].add(clean, image)
    return {c: f"{np.mean(of.psnr):.2f}" if of.psnr else "" for c, of in scores.items()}


def best_fixed_filter(blurred, config):
    """Applies the linear filter that on average over kernels comes nearest to the clean image.

    The spectrum of dirac kernels with unit sum has mean 1 and variance v. The filter multiplies by
    1 / (1 + v), whatever the image. If a network is better, it has learned about the kernel of the
    image.

    Args:
        blurred: (H, W, C).
        config: deblur.configs.Config with dirac kernels of unit sum as validation_blur.

    Returns:
        (H, W, C) float32.
    """
    count = config.kernel_size**2
    mean = np.full((config.kernel_size,) * 2, 1 / count)
    share = count / (count - 1) * (1 - np.abs(kernels.transfer(mean, blurred.shape[:2])) ** 2)
    variance = kernels.parse(config.validation_blur).high ** 2 * share
    spectrum = np.fft.fft2(blurred, axes=(0, 1)) / (1 + variance)[..., None]
    return np.fft.ifft2(spectrum, axes=(0, 1)).real.astype(np.float32)


def _settings(validation_set):
    """Flags of all trainings."""
    return ["--channels=1", "--crop_size=64", f"--validation_set={validation_set}"]


class _Restorer:
    """Restores by one model, which is trained first if it does not exist yet."""

    def __init__(self, arguments):
        self.arguments, self.model = arguments, trainings.trained(arguments)
        self.config = self.model.config

    def __call__(self, name, inputs):
        from common.restoring import prediction

        return prediction.restore(self.model, inputs)["denoised"]


class _SingleImages:
    """Trains a model on each small image alone, and enlarges the image by it."""

    def __init__(self, method, folder, row):
        self._folder, self._row = folder, row
        self.config = dataclasses.replace(method.named["single_image"], channels=1).completed()
        self.arguments = self._arguments("000")

    def _arguments(self, name):
        path, settings = self._folder / f"{name}.tif", [*self._row.flags, *_settings("sample")]
        return trainings.arguments(
            "superres", self._folder / name, self._row.num_images, settings, train_set=path
        )

    def __call__(self, name, inputs):
        from common.restoring import prediction

        image_files.write(self._folder / f"{name}.tif", inputs["small"])
        model = trainings.trained(self._arguments(name))
        return prediction.restore(model, inputs)["denoised"]
