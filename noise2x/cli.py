"""The command `noise2x`: one verb for everything that this project does.

`noise2x train ssdn --noise=gauss25` is `python -m ssdn_tf.train --noise=gauss25`; every verb has
its own --help. This module knows where each verb lives, and imports no more than that.
"""

from __future__ import annotations

import importlib
import pathlib
import sys

from common.method import short_name
from noise2x import methods

# Verbs of methods: `noise2x VERB [METHOD] ...` runs `<package>.<module>`.
METHOD_VERBS = {
    "train": "train a model: noise2x train ssdn --noise=gauss25",
    "denoise": "restore files: noise2x denoise photo.jpg scans/*.tif",
    "evaluate": "score a model: noise2x evaluate --dataset=kodak --baselines=all",
    "export": "write a SavedModel, ONNX files or a BioImage zip: noise2x export --format=onnx",
}
# Verbs that are programs of their own.
PROGRAMS = {
    "noise": ("scripts.tools.noise", "how noisy files are, and what suits: noise2x noise *.jpg"),
    "page": ("scripts.page.__main__", "restore pictures in the browser: noise2x page"),
    "compare": ("scripts.tools.compare", "models side by side: noise2x compare photo.jpg"),
    "download": ("scripts.data.download", "fetch image sets: noise2x download kodak bsd300"),
    "pack": ("scripts.data.pack", "write training files: noise2x pack hdf5|tfrecords|mri"),
    "import": ("scripts.tools.import_weights", "take over weights of the original programs"),
    "volume": ("scripts.tools.denoise_volume", "restore a Zarr array on several processes"),
    "client": ("scripts.tools.serving_client", "restore files on a model server"),
    "crosscheck": ("scripts.check.crosscheck", "compare with the originals' outputs"),
    "check-export": ("scripts.check.check_export", "compare exported models with the trained one"),
    "benchmark": ("scripts.check.benchmark", "measure the speed of a training"),
    "tiles": ("scripts.check.compare_tiles", "measure what restoring in tiles costs"),
    "reproduce": ("scripts.reproduce.__main__", "train and score a report's table or figure"),
}
# Prints what bash needs to complete verbs, methods and flags.
COMPLETION = """\
_noise2x() {{
    local word=${{COMP_WORDS[COMP_CWORD]}}
    if [[ $COMP_CWORD == 1 ]]; then
        COMPREPLY=($(compgen -W "{verbs}" -- "$word"))
    elif [[ $word == -* ]]; then
        local flags=$(noise2x "${{COMP_WORDS[@]:1:2}}" --help |
            sed -n 's/^  \\(--[^:]*\\):.*/\\1/p')
        COMPREPLY=($(compgen -W "${{flags//\\[no\\]/}}" -- "$word"))
    elif [[ $COMP_CWORD == 2 ]]; then
        COMPREPLY=($(compgen -W "{methods}" -- "$word") $(compgen -f -- "$word"))
    fi
}}
complete -o default -F _noise2x noise2x"""
LISTS = ("list", "models")
RESTORE = ("deblur", "superres")  # their `denoise` is called `restore`


def usage() -> str:
    """What `noise2x` can do, in a screenful."""
    width = max(map(len, [*METHOD_VERBS, *PROGRAMS, *LISTS])) + 2
    lines = [
        "noise2x restores images with networks that never saw a clean one.",
        "noise2x VERB [METHOD] [--flag=value ...] [files]; noise2x VERB --help lists the flags.",
        *(f"  {verb:{width}}{text}" for verb, text in METHOD_VERBS.items()),
        f"  {'list':{width}}the methods and the run folders in runs/; models: the shipped models",
        *(f"  {verb:{width}}{text}" for verb, (_, text) in PROGRAMS.items()),
        "",
        "Methods: " + ", ".join(short_name(name) for name in methods.NAMES) + ".",
        "Without a method, denoise, evaluate and export take that of the run folder, or of the",
        "newest finished run, and denoise else a shipped model. Bash: source <(noise2x completion)",
    ]
    return "\n".join(lines)


def main() -> None:
    """Runs the verb of the command line; without one prints what there is."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help", "-help", "help"):
        print(usage())
        return
    verb, *rest = arguments
    if verb == "--version":
        from common import VERSION

        print(f"noise2x {VERSION}")
    elif verb == "list":
        list_all(rest)
    elif verb == "models":
        list_models(rest)
    elif verb == "completion":
        verbs = " ".join([*METHOD_VERBS, *PROGRAMS, *LISTS])
        names = " ".join(short_name(name) for name in methods.NAMES)
        print(COMPLETION.format(verbs=verbs, methods=names))
    elif verb in METHOD_VERBS:
        run_method(verb, rest)
    elif verb in PROGRAMS:
        start(PROGRAMS[verb][0], f"noise2x {verb}", rest)
    else:
        import difflib

        close = difflib.get_close_matches(verb, [*METHOD_VERBS, *PROGRAMS, *LISTS], n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        fail(f"{verb!r} is no verb of noise2x.{hint} `noise2x` alone lists them.")


def fail(message: str) -> None:
    """Prints an error as one line and ends the program with exit code 1."""
    print(f"error: {message}", file=sys.stderr)
    sys.exit(1)


def start(module: str, program: str, arguments: list[str]) -> None:
    """Runs the `main` of a module with other arguments."""
    sys.argv = [program, *arguments]
    importlib.import_module(module).main()


def run_method(verb: str, arguments: list[str]) -> None:
    """Runs a verb of the method that the arguments name, or of the run folder's method."""
    names = ", ".join(short_name(name) for name in methods.NAMES)
    name, rest = split_method(arguments)
    if name is not None:
        arguments = rest
    elif verb == "train":
        wants_help = not arguments or {"--help", "-h", "-help"} & set(arguments)
        if wants_help:
            print(f"noise2x train METHOD [--flag=value ...]\n\n{methods_table()}")
            sys.exit(0 if arguments else 1)
        first = arguments[0]
        what = "" if first.startswith("-") else f", not {first!r}"
        return fail(f"train: name a method{what}: one of {names}.")
    else:
        ready = methods.READY_WITH_STD if is_set(arguments, "std") else methods.READY
        calibrates = is_set(arguments, "calibrate", "calibrate_each", "calibration")
        if verb == "denoise" and calibrates and not _run_dir(arguments):
            name = ready  # what was trained here is rarely what can be calibrated
        else:
            name = method_of(arguments)
        if name is None and verb == "denoise":
            name = ready
        if name is None:
            how = "Train one (noise2x train ssdn --noise=gauss25) or name one with --run_dir=..."
            return fail(f"{verb}: there is no finished run in runs/. {how}")
    module = "restore" if verb == "denoise" and name in RESTORE else verb
    start(f"{name}.{module}", f"noise2x {verb}", arguments)


def split_method(arguments: list[str]) -> tuple[str | None, list[str]]:
    """(package of the method that the arguments name, or None; the other arguments).

    The method is the first word that is no flag. A file of that name is written ./NAME.
    """
    before = ""
    for i, argument in enumerate(arguments):
        is_value = before.startswith("-") and "=" not in before  # --flag value
        if not argument.startswith("-") and not is_value:
            name = methods.package(argument)
            return name, arguments[:i] + arguments[i + 1 :] if name else arguments
        before = argument
    return None, arguments


def method_of(arguments: list[str]) -> str | None:
    """Package of the method that trained --run_dir, or the newest finished run; or None."""
    from common.training import runs

    folder: str | pathlib.Path | None = _run_dir(arguments)
    if folder is None:
        if {"--help", "-h", "-help"} & set(arguments):
            return methods.NAMES[0]
        folder = runs.newest_finished()
        if folder is None:
            return None
    try:
        return methods.of_run(folder).name
    except runs.RunError as error:
        fail(str(error))
    return None


def is_set(arguments: list[str], *names: str) -> bool:
    """Whether one of these flags is among the arguments, and not as --name=false."""
    for argument in arguments:
        name, _, value = argument.lstrip("-").partition("=")
        wanted = value.lower() not in ("false", "f", "0", "no", "n")
        if argument.startswith("-") and name in names and wanted:
            return True
    return False


def _run_dir(arguments: list[str]) -> str | None:
    """The value of --run_dir, or --model, among the arguments; or None."""
    folder = None
    for argument, following in zip(arguments, [*arguments[1:], ""]):
        flag, equals, value = argument.partition("=")
        if flag in ("--run_dir", "-run_dir", "--model", "-model"):
            folder = value if equals else following
    return folder


def methods_table() -> str:
    """The methods with what they learn from."""
    lines = []
    for name in methods.NAMES:
        method = methods.find(name)
        lines.append(f"  {method.short_name:10}{method.summary}")
    return "Methods, and what they learn from:\n" + "\n".join(lines)


def list_all(arguments: list[str]) -> None:
    """Prints the methods, and the run folders with how far they are."""
    if arguments and arguments[0] in ("-h", "--help", "-help"):
        print("noise2x list: lists the methods, and the run folders in runs/ with their state.")
        return
    if arguments:
        fail(f"list: takes no arguments, not {arguments[0]!r}.")
    from common.training import runs

    print(methods_table())
    folders = sorted(runs.newest_first())
    print(
        f"\nRun folders in {runs.ROOT}/:" if folders else f"\nNo run folders in {runs.ROOT}/ yet."
    )
    for folder in folders:
        try:
            state = "finished" if runs.is_finished(folder) else "unfinished"
            print(f"  {folder}  {short_name(runs.method_name(folder))}, {state}")
        except runs.RunError as error:
            print(f"  {error}")


def list_models(arguments: list[str]) -> None:
    """Prints the models that come with the project, or all that is known of one."""
    if arguments and arguments[0] in ("-h", "--help", "-help"):
        print(
            "noise2x models [NAME]: lists the models that come with the project, or says what NAME "
            "was trained on, what it reaches, and where its limits are."
        )
        return
    from common import shipped

    if len(arguments) > 1 or set(arguments) - set(shipped.names()):
        wrong = " ".join(arguments)
        known = ", ".join(shipped.names())
        fail(f"models: expected one of {known}, not {wrong!r}.{shipped.hint(wrong)}")
    for name in arguments or shipped.names():
        card = shipped.card(name)
        print(f"{name:25}{card['purpose']}")
        if not arguments:
            continue
        for text in ("data", "licence", "training", "limits", "command"):
            print(f"{text:>12}  {card[text]}")
        for images, levels in card["psnr"].items():
            scores = ", ".join(f"{noise} {psnr:.2f} dB" for noise, psnr in levels.items())
            print(f"{images:>12}  {scores}")
        for images, levels in card.get("uncertainty", {}).items():
            shares = ", ".join(
                f"{noise} {row['within'][0]:.1%} and {row['within'][1]:.1%}"
                for noise, row in levels.items()
            )
            print(f"{images:>12}  errors within 1 and 2 predicted deviations: {shares}")


if __name__ == "__main__":
    main()
