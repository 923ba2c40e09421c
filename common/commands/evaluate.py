"""`evaluate`: scores of a trained model on images with known clean versions."""

from __future__ import annotations

import dataclasses
import functools
import pathlib
import time
import typing
from collections.abc import Callable, Iterator

from common import progress
from common.commands import flags, running
from common.method import Method

if typing.TYPE_CHECKING:
    import numpy as np

    from common.noise import Noise
    from common.types import Example

FLAGS = flags.FLAGS
MAX_SHEET_ROWS = 12  # of a contact sheet


@dataclasses.dataclass(frozen=True)
class ScoredSet:
    """Examples to score on, and how.

    examples: called without arguments, yields them, inputs perhaps larger than the clean images, at
    whose upper left corner these then are; count: how many there are; dataset: their name;
    noise: that is added, None where they are noisy already; measure: PSNR of (clean, restored);
    fit: changes a restored image before it is compared with the clean one.
    """

    examples: Callable[[], Iterator[Example]]
    count: int
    dataset: str
    noise: Noise | None
    measure: Callable[[np.ndarray, np.ndarray], float]
    fit: Callable[[np.ndarray, np.ndarray], np.ndarray]

    @property
    def noise_name(self) -> str:
        """The noise string, or "own" for files that are noisy already."""
        return "own" if self.noise is None else str(self.noise)


def evaluate(
    method: Method,
    doc: str,
    *,
    define: Callable[[], None] = lambda: None,
    change_config: Callable[[typing.Any], typing.Any] = lambda config: config,
) -> None:
    """Runs `python -m <method>.evaluate`.

    Args:
        method: what was trained.
        doc: the module's docstring, shown by --help.
        define: defines flags of the method's own.
        change_config: called with the model's configuration when the flags are read; gives the one
            by which examples are made.
    """

    def define_all():
        flags.define_evaluation(method)
        define()

    running.run(lambda: _evaluate(method, change_config), define_all, doc)


def _evaluate(method, change_config):
    import numpy as np

    from common.evaluation import baselines, scoring
    from common.files import tables

    run_dir = running.finished_run(method.name, f"python -m {method.name}.train")
    denoiser = method.load(run_dir, FLAGS.precision)
    if FLAGS.tta and list(denoiser.INPUTS) != ["noisy"]:
        raise ValueError("tta: this model restores from more than an image, which can't be turned.")
    if _is_set("find_level") and not denoiser.config.finds_level:
        raise ValueError("find_level: this model is not told the level, or can't find it.")
    config = change_config(denoiser.config)
    fields = {name: getattr(config, field) for name, field in method.result_fields.items()}
    if _is_set("pad_clean"):
        if FLAGS.reference:
            raise ValueError(
                "pad_clean: noisy files have no clean surroundings; leave out --reference."
            )
        fields["pad_clean"] = "true"
    if FLAGS.reference:
        scored = _set_with_reference(method, denoiser)
        print("PSNR of the least-squares affine fit to the reference, peak: its range.")
    else:
        if denoiser.config.keeps_counts:
            raise ValueError(
                "this model is for files like those it was trained on: give noisy ones as "
                "--dataset, and their --reference."
            )
        scored = _set_with_noise(method, config)
    chosen = baselines.available(FLAGS.baselines, method.baselines)
    if FLAGS.baselines == ["all"] and "bm3d" in method.baselines and "bm3d" not in chosen:
        progress.say("bm3d: not installed, left out; pip install 'noise2x[baselines]' brings it.")
    rows: list[dict[str, typing.Any]] = []
    for name, function in chosen.items():
        scores = scoring.Scores(scored.measure)
        with progress.Progress(scored.count, name) as steps:
            for picture, clean, inputs in scored.examples():
                sigma = _deviation(scored.noise, inputs)
                began = time.perf_counter()
                restored = method.run_baseline(function, inputs, sigma)
                seconds = time.perf_counter() - began
                scores.add(clean, scored.fit(_own_part(restored, clean), clean))
                rows.append(_row(picture, name, scores, seconds))
                steps.step()
        progress.say(f"{scores.line(scored.dataset, scored.noise_name, fields)} method={name}")

    output = FLAGS.output and pathlib.Path(FLAGS.output)
    scores, mean_psnr, calibration, own = _score(method, denoiser, scored, output)
    if output:
        tables.write(output / "scores.csv", rows + own)
        print(
            f"Pictures: {output}/, the first ones together: {output}/contact_sheet.png; the scores "
            f"of each: {output}/scores.csv"
        )
    if mean_psnr:
        print(
            f"The blind-spot mean alone: psnr={np.mean(mean_psnr):.3f}; Bayes' rule adds the pixel "
            "itself."
        )
    if str(calibration):
        print(calibration)
    _print_noise_levels(denoiser, scored.noise, output)
    progress.say(scores.line(scored.dataset, scored.noise_name, fields))


def _is_set(name):
    """Whether a flag is set that only methods told the level of the noise have."""
    return name in FLAGS and FLAGS[name].value


def _own_part(image, clean):
    """Of an image whose example was padded on the right and at the bottom, what is not padding."""
    return image[: clean.shape[0], : clean.shape[1]]


def _row(picture, name, scores, seconds):
    """A row of scores.csv about the image that was scored last."""
    return {
        "picture": picture,
        "method": name,
        "psnr": f"{scores.psnr[-1]:.3f}",
        "ssim": f"{scores.ssim[-1]:.4f}",
        "seconds": f"{seconds:.3f}",
    }


def _score(method, denoiser, scored, output):
    """(Scores, PSNR of each blind-spot mean, Calibration, rows of scores.csv) of a denoiser.

    Pictures of its results go to the output folder.
    """
    import numpy as np

    from common.evaluation import figures, scoring
    from common.files import atomic
    from common.restoring import prediction

    scores, mean_psnr = scoring.Scores(scored.measure), []
    calibration = scoring.Calibration()
    restore = prediction.restore_augmented if FLAGS.tta else prediction.restore
    find = _is_set("find_level")
    rows, table, seen, levels = [], [], set(), []
    with progress.Progress(scored.count) as steps:
        for name, clean, inputs in scored.examples():
            began = time.perf_counter()
            if find:
                inputs["noise_level"] = np.float32(denoiser.find_level(inputs["noisy"]))
                levels.append(denoiser.config.noise.SCALE * inputs["noise_level"])
            result = restore(denoiser, inputs)
            seconds = time.perf_counter() - began
            result = {kind: _own_part(image, clean) for kind, image in result.items()}
            result["denoised"] = scored.fit(result["denoised"], clean)
            scores.add(clean, result["denoised"])
            if denoiser.predicts_std and "mean" in result:
                mean_psnr.append(scored.measure(clean, scored.fit(result["mean"], clean)))
            calibration.add(clean, result)
            table.append(_row(name, method.short_name, scores, seconds))
            if output and name not in seen:  # pictures of the first repeat
                seen.add(name)
                noisy = scored.fit(_own_part(inputs["noisy"], clean), clean)
                _write_pictures(output, name, {method.input_name: noisy}, result)
                if len(rows) < MAX_SHEET_ROWS:
                    row = scoring.sheet_row(
                        name, clean, noisy, result, scored.measure, method.input_name
                    )
                    rows.append(row)
            steps.step()
    if find:
        print(
            f"Noise levels found: {np.mean(levels):.2f} on average, {np.min(levels):.2f} to "
            f"{np.max(levels):.2f} ({denoiser.config.noise.UNIT})."
        )
    if output:
        crop = (FLAGS.sheet_crop, FLAGS.sheet_crop) if FLAGS.sheet_crop else None
        with atomic.replacing(output / "contact_sheet.png") as temporary:
            figures.contact_sheet(rows, crop=crop).save(temporary)
    return scores, mean_psnr, calibration, table


def _print_noise_levels(denoiser, noise, output):
    """Prints and draws the noise level function that a model has learned, if it has one.

    The true one stands beside it where the noise is added and of one strength.
    """
    import numpy as np

    from common.evaluation import figures

    values = np.linspace(0.1, 0.9, 9)
    learned = denoiser.noise_levels(values)
    if learned is None:
        return
    lines = {"learned": learned}
    if noise is not None and noise.is_fixed and not noise.clipped:
        variance = noise.variance(values, noise.fixed_level())
        if variance is not None:
            lines["true"] = np.sqrt(variance)
    print("Deviation of the noise, of 255, over the clean value:")
    print("value    " + " ".join(f"{value:5.1f}" for value in values))
    for name, deviations in lines.items():
        print(f"{name:8} " + " ".join(f"{255 * deviation:5.1f}" for deviation in deviations))
    if output:
        points = {
            name: list(zip(255 * values, 255 * deviations, strict=True))
            for name, deviations in lines.items()
        }
        axes = {"xlabel": "clean value, of 255", "ylabel": "deviation of the noise, of 255"}
        figures.save_lines(points, output / "noise_levels.png", **axes)
        print(f"Noise level function: {output}/noise_levels.png")


def _set_with_noise(method, config):
    """Clean images and noise to add, as a ScoredSet."""
    from common.data import datasets
    from common.evaluation import example_images, quality

    noise = config.validation_noise if FLAGS.noise is None else config.parse_noise(FLAGS.noise)
    config.check_noise("noise", noise)
    image_set = datasets.load(
        FLAGS.dataset, FLAGS.data_dir, held_back=True, max_images=FLAGS.max_images
    )
    repeats = FLAGS.repeats or datasets.REPEATS.get(FLAGS.dataset, 1)
    examples = functools.partial(
        method.examples, config=config, noise=noise, seed=FLAGS.seed, repeats=repeats
    )
    if _is_set("pad_clean"):
        seen = example_images.seen_beyond_borders
        examples = functools.partial(seen, examples, image_set, config.side_multiple, repeats)
    else:
        examples = functools.partial(examples, image_set)
    dataset = FLAGS.dataset.replace(" ", "_")
    count = repeats * len(image_set)
    measure = quality.psnr_float if FLAGS.unrounded else method.psnr
    return ScoredSet(examples, count, dataset, noise, measure, lambda image, clean: image)


def _set_with_reference(method, denoiser):
    """Noisy files and what they are compared with, as a ScoredSet."""
    from common.data import own_files
    from common.evaluation import quality

    config = denoiser.config
    dims = FLAGS.dims or config.file_axes
    settings = {"axes": dims, "spatial": denoiser.spatial, "channels": config.channels}
    noisy, clean = (
        own_files.load(path, max_images=FLAGS.max_images, **settings)
        for path in (FLAGS.dataset, FLAGS.reference)
    )
    examples = functools.partial(method.reference_examples, noisy, clean, config)
    next(iter(examples()))
    dataset = FLAGS.dataset.replace(" ", "_")
    return ScoredSet(examples, len(noisy), dataset, None, quality.psnr_float, quality.fitted)


def _deviation(noise, inputs):
    """Standard deviation of the noise, for classical denoisers; estimated where nobody knows."""
    from common.evaluation import baselines

    if noise is None:
        return baselines.estimated_deviation(inputs["noisy"])
    return noise.deviation(inputs.get("noise_level"))


def _write_pictures(output, name, inputs, result):
    """Writes an example's pictures: 8-bit PNGs, the standard deviation as a float TIFF."""
    import numpy as np

    from common.files import image_files, pixels

    for kind, image in (inputs | {"denoised": result["denoised"]}).items():
        # Volumes, and channels that are no colours, are no pictures.
        suffix = "png" if image.ndim == 3 and image.shape[-1] in (1, 3) else "tif"
        picture = pixels.from_unit(image, np.uint8)
        image_files.write(output / f"{name}-{kind}.{suffix}", picture)
    if "std" in result:
        image_files.write(output / f"{name}-std.tif", result["std"])
