"""The flags of all commands: each is defined once, here, with its unit and its default."""

from __future__ import annotations

import dataclasses
import difflib
import typing

from absl import app, flags

from common import configuration
from common import noise as noises

if typing.TYPE_CHECKING:
    from common.method import Method

FLAGS = flags.FLAGS

DATA = (
    "`sample` (photographs that come with scikit-image), kodak, bsd300, bsd300_train, bsd68, "
    "set12, set14, a folder, a glob, an .h5 or a .tfrecords file"
)
PRECISIONS = ("auto", "float32", "bfloat16")


def define_debug() -> None:
    """--debug, which every command has."""
    flags.DEFINE_bool("debug", False, "Show where in the code an error came from.")


def define_data() -> None:
    """--data_dir."""
    flags.DEFINE_string(
        "data_dir", None, "Folder that holds the named image sets [$N2X_DATA or ./datasets]."
    )


def define_training(method: Method) -> None:
    """Flags of `train`; all but a few override a setting of the named configuration."""
    config = method.default_config
    completed = config.completed()
    define_data()
    flags.DEFINE_string(
        "config", None, f"Named configuration [{method.default}]; --list_configs shows all."
    )
    flags.DEFINE_bool("list_configs", False, "Print the named configurations and stop.")
    flags.DEFINE_string(
        "run_dir",
        None,
        "Run folder to write: weights, checkpoint, log, samples [the next number in runs/, as "
        f"runs/00003-{method.short_name}-{completed.label()}; with --resume the newest unfinished "
        "run of the same settings].",
    )
    flags.DEFINE_bool("resume", False, "Continue exactly where the run folder's checkpoint is.")
    flags.DEFINE_integer(
        "checkpoint_every", None, "Images between checkpoints [a 20th of the training].", 1
    )
    flags.DEFINE_integer(
        "eval_every", None, "Images between validations [a 10th of the training].", 1
    )
    flags.DEFINE_integer("max_images", None, "Use at most this many training images [all].", 1)
    flags.DEFINE_string(
        "cluster",
        None,
        "HOST:PORT,COUNT,INDEX: train in COUNT processes, this being number INDEX; HOST is where "
        "number 0 runs. Needs KERAS_BACKEND=jax and a run folder that all of them see.",
    )
    for field in dataclasses.fields(config):
        value = getattr(completed, field.name)
        shown = f"{value}, or the training's" if field.name == "validation_set" else value
        help_text = field.metadata["help"]
        if value is not None:
            help_text += f" [{shown}"
            if field.name in method.short:
                help_text += f"; with train_set={config.train_set} {method.short[field.name]}"
            help_text += "]"
        define: typing.Any = {
            bool: flags.DEFINE_bool,
            int: flags.DEFINE_integer,
            float: flags.DEFINE_float,
            str: flags.DEFINE_string,
            noises.Noise: flags.DEFINE_string,
        }[field.metadata["type"]]
        define(field.name, None, help_text)
    if method.inspects_files:
        flags.DEFINE_bool(
            "check_only",
            False,
            "Look at your noisy images, report what is unusual, and stop. Noise2Void also says if "
            "a shipped model can be calibrated for them instead, and, with --run_dir of a finished "
            "run, whether that is the better one.",
        )


def define_run(purpose: str, *, required: bool = False) -> None:
    """--run_dir, also called --model, of the commands that need a trained model.

    Args:
        purpose: what they do with it.
        required: whether it must be given; else the newest finished run is taken.
    """
    otherwise = ". Required." if required else " [the newest finished run in runs/]."
    flags.DEFINE_string(
        "run_dir",
        None,
        f"Run folder of the model to {purpose}, or the name of a shipped model, see "
        f"noise2x models{otherwise}",
    )
    flags.DEFINE_alias("model", "run_dir")


def define_evaluation(method: Method) -> None:
    """Flags of `evaluate`."""
    dataset, baselines = method.default_config.train_set, list(method.baselines)
    define_data()
    define_run("evaluate")
    synthetic = "" if dataset == "sample" else f"{dataset} (synthetic), "
    flags.DEFINE_string("dataset", dataset, f"Images to score on: {synthetic}{DATA}.")
    flags.DEFINE_string(
        "reference",
        None,
        "Files to compare with, one for each file of --dataset, in the same order; for files that "
        "are noisy already: averages of many acquisitions, for instance. PSNR is then "
        "scale-invariant.",
    )
    define_dims()
    flags.DEFINE_string("noise", None, "Noise to add [the validation_noise of the training].")
    flags.DEFINE_integer(
        "repeats",
        1,
        "How often to go through the set, each time with fresh noise; 0: as often as the paper, "
        "kodak 10 times, bsd300 3, set14 20.",
        0,
    )
    flags.DEFINE_integer("seed", 0, "Seed of the noise that is added.", 0, 2**31 - 1)
    flags.DEFINE_integer("max_images", None, "Use at most this many images [all].", 1)
    define_tta()
    if any(config.takes_level for config in method.named.values()):
        flags.DEFINE_bool(
            "find_level",
            False,
            "Do not tell the model how strong the noise is: it takes the level under which the "
            "image is most likely.",
        )
        flags.DEFINE_bool(
            "pad_clean",
            False,
            "As SSDN's original: reflect the clean images on the right and at the bottom to one "
            "square before the noise is drawn, so that the network sees beyond their borders; "
            "scores are of the images alone. Noisy files have no such surroundings.",
        )
    flags.DEFINE_bool(
        "unrounded",
        False,
        "PSNR of floats, neither rounded nor clipped, as juglab's notebook and RDUNet have it "
        "[after rounding to 8 bits].",
    )
    flags.DEFINE_list(
        "baselines",
        [],
        f"Score these too: {', '.join(baselines)}, or all; {baselines[0]} is the input itself.",
    )
    flags.DEFINE_string(
        "output",
        None,
        "Folder for pictures before and after, std, a contact sheet, and scores.csv [none].",
    )
    flags.DEFINE_integer(
        "sheet_crop", None, "Side of the part shown in the contact sheet, pixels [all].", 1
    )
    define_precision()


def define_tta() -> None:
    """--tta of commands that restore."""
    flags.DEFINE_bool(
        "tta", False, "Average over the 8 ways to turn and mirror an image; 8 times the work."
    )


def define_files() -> None:
    """--input and --output of commands that go from files to files."""
    flags.DEFINE_multi_string(
        "input", None, "File, folder or glob; may be repeated, or given without --input."
    )
    flags.DEFINE_string(
        "output",
        None,
        "Folder for the restored files, which keep their names [beside what was named: photo.jpg "
        "gives photo-denoised.jpg, the folder scans gives scans-denoised].",
    )


def define_denoising() -> None:
    """Flags of `denoise`."""
    define_run("restore with")
    define_files()
    flags.DEFINE_bool(
        "std", False, "Also write the predicted standard deviation, NAME-std.tif, float32."
    )
    define_noise_level()
    define_dims()
    flags.DEFINE_enum(
        "dtype",
        "same",
        ["same", "uint8", "uint16", "float32"],
        "Type of the values written, on the scale of the file; integers are rounded and clipped.",
    )
    flags.DEFINE_float(
        "memory_gb",
        3.0,
        "Memory to use, in gigabytes, besides about 0.7 for the program. Larger images are "
        "restored in tiles; files larger than a quarter of it are read and written in parts.",
        0.01,
        1e6,
    )
    flags.DEFINE_integer(
        "tile_size", None, "Longest side of a tile, pixels [as long as memory_gb allows].", 1
    )
    flags.DEFINE_integer(
        "halo",
        None,
        "Width of a tile's outer part, pixels. It is computed so that the inner part sees its "
        "surroundings, and then dropped [as far as a pixel sees, or the model's compromise].",
        0,
    )
    define_tta()
    define_calibration()
    flags.DEFINE_float(
        "strength",
        None,
        "How strongly to denoise: 0 leaves files as they are, 1 gives the model's result, 0.7 "
        "keeps some grain; less of it where a model with uncertainty is sure [1; where no model is "
        "named, 0.25 for files with almost no noise].",
        0.0,
        1.5,
    )
    flags.DEFINE_bool(
        "recursive",
        False,
        "Also restore the files in sub-folders; --output gets the same tree [false].",
    )
    flags.DEFINE_bool(
        "strict",
        False,
        "Leave out files whose noise the model was not trained on, instead of warning [false].",
    )
    define_precision("auto")


def define_calibration() -> None:
    """Flags of `denoise` for noise that nobody described, see `calibrating`."""
    flags.DEFINE_bool(
        "calibrate",
        False,
        "Find first how the noise of these files grows with their values, some seconds: for counts "
        "of microscopes and sensors, of any scale. One calibration for all files of a kind; it is "
        "kept beside the results, as *calibration.json, with a plot [false].",
    )
    flags.DEFINE_bool("calibrate_each", False, "The same, a calibration for each file [false].")
    flags.DEFINE_string(
        "calibration",
        None,
        "File of an earlier calibration, or folder of its results, to use again [none].",
    )


def define_noise_level() -> None:
    """--noise_level."""
    flags.DEFINE_float(
        "noise_level",
        None,
        "Noise in the files, for models of known noise: sigma in 8-bit units, lambda, or per cent "
        "[that of the training; if that was a range, the one under which the file is most likely].",
    )


def define_dims() -> None:
    """--dims."""
    flags.DEFINE_string(
        "dims",
        None,
        "Axes of the files, one letter each: YX, TYX, ZYX, YXC [as TIFF files say; else pages].",
    )


def define_export(method: Method) -> None:
    """Flags of `export`."""
    define_run("export")
    flags.DEFINE_string(
        "output",
        None,
        "Folder for the model, which becomes its next version, 1, 2, ... "
        f"[models/{method.short_name}].",
    )
    flags.DEFINE_enum(
        "format",
        "saved_model",
        ["saved_model", "onnx", "bioimageio"],
        "saved_model: for TensorFlow and its model server; onnx: a file for each signature, for "
        "ONNX Runtime, OpenVINO and others (extra `onnx`); bioimageio: a zip for the BioImage "
        "Model Zoo (extra `bioimageio`).",
    )
    flags.DEFINE_string(
        "calibration",
        None,
        "File of denoise --calibrate, or folder of its results: the exported model takes and gives "
        "the values of such files [none].",
    )
    flags.DEFINE_string("model_name", None, "Name on a model server [the package's].")


def define_precision(default: str = "float32") -> None:
    """--precision of a command that computes with a trained model."""
    flags.DEFINE_enum(
        "precision",
        default,
        list(PRECISIONS),
        "Arithmetic: float32; bfloat16, which is coarser, and faster on processors that have it; "
        "auto, which is bfloat16 where the processor has it and the method was measured to lose "
        "less than 0.02 dB by it (docs/performance.md); `denoise` has auto, and `evaluate` float32 "
        f"[{default}].",
    )


def require(*names: str) -> None:
    """Raises UsageError for flags that were not given."""
    for name in names:
        if not FLAGS[name].value:
            raise app.UsageError(f"--{name}=... is required; --help says what it is.")


def read_config(method: Method) -> tuple[typing.Any, bool]:
    """The configuration that the flags describe.

    Returns:
        (config, whether the short schedule was taken): the settings of `method.short`, for the
        images that come with the project, where neither flags nor named configuration differ.

    Raises:
        ValueError: unknown name, or settings that contradict each other.
    """
    name = FLAGS.config or method.default
    if name not in method.named:
        close = difflib.get_close_matches(name, method.named, n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else "--list_configs shows all."
        raise ValueError(f"config={name!r} is not known; {hint}")
    named, default = method.named[name], method.default_config
    changes = config_flags(named)
    # Other images than those of the project are worth the paper's length.
    own_files = any(changes.get(setting) for setting in named.OWN_FILES)
    is_short = changes.get("train_set", named.train_set) == default.train_set and not own_files
    # What the named configuration sets itself stays.
    unset = {k: v for k, v in method.short.items() if getattr(named, k) == getattr(default, k)}
    settings = (unset if is_short else {}) | named.implied(changes) | changes
    config = dataclasses.replace(named, **settings)
    if is_short and config.schedule is None:
        config = dataclasses.replace(config, schedule=config.own_schedule())
    return config.completed(), is_short


def config_flags(config: configuration.Config) -> dict[str, typing.Any]:
    """Settings of a configuration that flags were given for; noises are still strings."""
    names = [field.name for field in dataclasses.fields(config)]
    return {name: FLAGS[name].value for name in names if FLAGS[name].value is not None}
