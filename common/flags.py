"""The flags of all commands, and how one runs: one line for what goes wrong, true exit codes."""

import dataclasses
import difflib
import logging as python_logging
import os
import sys
import textwrap

from absl import app, flags, logging

FLAGS = flags.FLAGS

DATA = (
    "`sample` (photographs that come with scikit-image), kodak, bsd300, bsd300_train, bsd68, "
    "set12, set14, a folder, a glob, an .h5 or a .tfrecords file"
)


def define_data():
    flags.DEFINE_string("data_dir", None, "Folder of the named sets [$N2X_DATA or ./datasets].")
    flags.DEFINE_bool("debug", False, "Show where in the code an error came from.")


def define_training(named, default, short):
    """Flags of `train`; all but a few override a field of the named configuration.

    named: dict of configurations by name; default: the name of the one that flags start from;
    short: settings for the sample photographs.
    """
    config = named[default]
    completed = config.completed()
    define_data()
    flags.DEFINE_string(
        "config", None, f"Named configuration [{default}]; --list_configs shows all."
    )
    flags.DEFINE_bool("list_configs", False, "Print the named configurations and stop.")
    flags.DEFINE_string("run_dir", None, "Run folder: weights, checkpoint, log, samples. Required.")
    flags.DEFINE_bool("resume", False, "Go on from the run folder's checkpoint, exactly.")
    flags.DEFINE_integer("checkpoint_every", None, "Images between checkpoints [a 20th of all].", 1)
    flags.DEFINE_integer("eval_every", None, "Images between validations [a 10th of all].", 1)
    flags.DEFINE_integer("max_images", None, "Use at most so many training images [all].", 1)
    flags.DEFINE_string(
        "cluster",
        None,
        "HOST:PORT,COUNT,INDEX: train in COUNT processes, this being number INDEX; HOST is where "
        "number 0 runs. Needs KERAS_BACKEND=jax and a run folder that all of them see.",
    )
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        shown = getattr(completed, field.name)
        if field.name == "validation_set":
            shown = f"{shown}, or the training's"
        help_text = field.metadata["help"]
        if shown is not None:
            help_text += f" [{shown}"
            if field.name in short:
                help_text += f"; with train_set={config.train_set} {short[field.name]}"
            help_text += "]"
        define = {
            bool: flags.DEFINE_bool,
            int: flags.DEFINE_integer,
            float: flags.DEFINE_float,
            str: flags.DEFINE_string,
        }[field.metadata.get("type", type(value))]
        define(field.name, None, help_text)


def define_check():
    flags.DEFINE_bool(
        "check_only", False, "Look at your noisy images, say what is odd about them, and stop."
    )


def define_run(what):
    define_data()
    flags.DEFINE_string("run_dir", None, f"Run folder of the model to {what}. Required.")


def define_evaluation(dataset, baselines):
    define_run("evaluate")
    made_up = "" if dataset == "sample" else f"{dataset} (made up), "
    flags.DEFINE_string("dataset", dataset, f"Images to score on: {made_up}{DATA}.")
    flags.DEFINE_string(
        "reference",
        None,
        "What --dataset, then files that are noisy themselves, is compared with, file by file in "
        "the same order: averages of many acquisitions, say. PSNR then is scale-invariant.",
    )
    define_dims()
    flags.DEFINE_string("noise", None, "Noise to add [the validation_noise of the training].")
    flags.DEFINE_integer(
        "repeats",
        1,
        "Goes through the set so often, with fresh noise; 0: as the paper does, kodak 10 times, "
        "bsd300 3, set14 20.",
        0,
    )
    flags.DEFINE_integer("seed", 0, "Of the added noise.", 0, 2**31 - 1)
    flags.DEFINE_integer("max_images", None, "Use at most so many images [all].", 1)
    flags.DEFINE_list(
        "baselines",
        [],
        f"Score these too: {', '.join(baselines)}, or all; {baselines[0]}: what comes in.",
    )
    flags.DEFINE_string(
        "output", None, "Folder for pictures before and after, std, and a contact sheet."
    )
    flags.DEFINE_integer(
        "sheet_crop", None, "Side of the middle shown in the contact sheet [all].", 1
    )
    define_precision()


def define_files():
    flags.DEFINE_multi_string("input", None, "File, folder or glob; may be repeated. Required.")
    flags.DEFINE_string("output", None, "Folder for the restored files, names kept. Required.")


def define_denoising():
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
        "Type of the values written, on the scale of the file; rounded and clipped for integers.",
    )
    flags.DEFINE_float(
        "memory_gb",
        3.0,
        "Memory to use, beside about 0.7 GB of the program: larger images are restored in tiles, "
        "and files of more than a quarter of it read and written in parts.",
        0.01,
        1e6,
    )
    flags.DEFINE_integer(
        "tile_size", None, "Longest side of a tile, pixels [as long as memory_gb allows].", 1
    )
    flags.DEFINE_integer(
        "halo",
        None,
        "Pixels that a tile reaches farther than what is taken from it [as far as a pixel sees, or "
        "where that is very far the model's compromise].",
        0,
    )
    flags.DEFINE_bool(
        "tta", False, "Average over the 8 ways to turn and mirror an image; 8 times the work."
    )
    define_precision()


def define_noise_level():
    flags.DEFINE_float(
        "noise_level",
        None,
        "Noise in the files, for models of known noise: sigma in 8-bit units, lambda, or per cent "
        "[that of the training].",
    )


def define_dims():
    flags.DEFINE_string(
        "dims",
        None,
        "Axes of the files, one letter each: YX, TYX, ZYX, YXC [what TIFFs say; pages].",
    )


def define_export():
    define_run("export")
    flags.DEFINE_string(
        "output", None, "Folder; the model becomes its next version, 1, 2, ... Required."
    )
    flags.DEFINE_enum(
        "format",
        "saved_model",
        ["saved_model", "onnx", "bioimageio"],
        "saved_model: for TensorFlow and its model server; onnx: a file for each signature, for "
        "ONNX Runtime, OpenVINO and others (extra `onnx`); bioimageio: a zip for the BioImage "
        "Model Zoo (extra `bioimageio`).",
    )
    flags.DEFINE_string("model_name", None, "Its name on a model server [the package's].")


def define_precision():
    flags.DEFINE_enum(
        "precision",
        "float32",
        ["float32", "bfloat16"],
        "Arithmetic; bfloat16 is coarser and faster.",
    )


def require(*names):
    """Raises UsageError for flags that were not given."""
    for name in names:
        if not FLAGS[name].value:
            raise app.UsageError(f"--{name}=... is required; --help says what it is.")


def read_config(named, default, short):
    """The configuration that the flags describe.

    Args:
        named: dict of configurations.
        default: name of the one to start from when --config is not given.
        short: field values for the images that come with the project, those that the default
            trains on, where flags don't say otherwise.

    Returns:
        (config, whether the short schedule was taken).

    Raises:
        ValueError: unknown name, or settings that contradict each other.
    """
    name = FLAGS.config or default
    if name not in named:
        close = difflib.get_close_matches(name, named, n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else "--list_configs shows all."
        raise ValueError(f"config={name!r} is not known; {hint}")
    given = given_fields(named[name])
    # What comes with the project; anything else is worth the paper's length.
    own = named[default].train_set
    files = any(given.get(name) for name in ("pairs", "data_path"))
    is_short = given.get("train_set", named[name].train_set) == own and not files
    # What the named configuration sets itself stays.
    unset = {
        k: v for k, v in short.items() if getattr(named[name], k) == getattr(named[default], k)
    }
    changes = (unset if is_short else {}) | given
    return dataclasses.replace(named[name], **changes).completed(), is_short


def given_fields(config):
    """Fields of the configuration that flags were given for."""
    names = [field.name for field in dataclasses.fields(config)]
    return {name: FLAGS[name].value for name in names if FLAGS[name].value is not None}


def run(main, define, doc, *, takes_arguments=False):
    """Runs a command.

    An error that the user can do something about is printed as one line and ends in exit code 1:
    any ValueError or OSError, unless --debug is given. Ctrl-C ends in 130.

    Args:
        main: called after the flags are read, without arguments unless `takes_arguments`.
        define: called without arguments, defines the flags.
        doc: the module's docstring, shown by --help.
        takes_arguments: main takes the list of words that are no flags.
    """
    define()
    if any(arg in ("--help", "-help", "-h") for arg in sys.argv[1:]):
        print(f"{doc.strip()}\n\nFlags:\n{_describe_flags()}")
        sys.exit(0)

    def guarded(argv):
        if argv[1:] and not takes_arguments:
            raise app.UsageError(f"Unexpected {argv[1]!r}: flags are written --name=value.")
        logging.set_verbosity(logging.WARNING)
        plain = python_logging.Formatter("%(levelname)s: %(message)s")
        logging.get_absl_handler().setFormatter(plain)
        try:
            main(*([argv[1:]] if takes_arguments else []))
        except KeyboardInterrupt:
            print("Interrupted.", file=sys.stderr)
            sys.exit(130)
        except (ValueError, OSError) as error:
            if FLAGS.debug:
                raise
            print(f"error: {_one_line(error)}", file=sys.stderr)
            sys.exit(1)

    app.usage = _usage
    app.run(guarded, flags_parser=_parse)


def _describe_flags():
    """Help texts of the flags that commands define, those of libraries left out."""
    described = []
    for module, defined in FLAGS.flags_by_module_dict().items():
        if not module.startswith(("absl.", "tensorflow.", "jax.", "keras.")):
            described += defined
    return "\n".join(
        textwrap.fill(
            f"  --{'[no]' if flag.boolean else ''}{flag.name}: {flag.help}",
            width=100,
            subsequent_indent="      ",
        )
        for flag in sorted(described, key=lambda flag: flag.name)
    )


def _one_line(error):
    if isinstance(error, OSError) and error.strerror:
        name = f"{os.fspath(error.filename)}: " if error.filename is not None else ""
        return f"{name}{error.strerror}."
    return " ".join(str(error).split()) or type(error).__name__


def _parse(argv):
    try:
        return FLAGS(argv)
    except flags.Error as error:
        print(f"error: {_one_line(error)} --help lists the flags.", file=sys.stderr)
        sys.exit(1)


def _usage(shorthelp=False, writeto_stdout=False, detailed_error=None, exitcode=None):
    print(f"error: {detailed_error}", file=sys.stderr)
    sys.exit(exitcode or 1)
