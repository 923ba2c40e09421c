"""How a command runs: flags and help, one line for what goes wrong, true exit codes."""

from __future__ import annotations

import contextlib
import logging as python_logging
import os
import pathlib
import signal
import sys
import textwrap
from collections.abc import Callable
from typing import Any

from absl import app, flags, logging

from common import progress, quiet
from common.commands.flags import FLAGS, define_debug
from common.training import runs

SECONDS_TO_REPEAT = 0.5  # until a signal whose exception got lost is raised again


def run(
    main: Callable[..., Any],
    define: Callable[[], Any],
    doc: str,
    *,
    takes_arguments: bool = False,
    needs_keras: bool = True,
) -> None:
    """Runs a command.

    An error that the user can do something about is printed as one line and ends in exit code 1:
    any ValueError or OSError, unless --debug is given. Ctrl-C ends in 130, SIGTERM, which `kill`
    and schedulers send, in the same way in 143.

    Args:
        main: called after the flags are read, without arguments unless `takes_arguments`.
        define: called without arguments, defines the flags.
        doc: the module's docstring, shown by --help.
        takes_arguments: main takes the list of words that are no flags.
        needs_keras: whether main uses Keras; it is then imported first, quietly.
    """
    define()
    define_debug()
    helps = ("--help", "-help", "-h", "--helpfull", "--helpshort")
    if any(arg in helps for arg in sys.argv[1:]):
        _print_help(doc)
        sys.exit(0)

    def guarded(argv):
        if argv[1:] and not takes_arguments:
            raise app.UsageError(f"Unexpected {argv[1]!r}: flags are written --name=value.")
        logging.set_verbosity(logging.WARNING)
        plain = python_logging.Formatter("%(levelname)s: %(message)s")
        logging.get_absl_handler().setFormatter(plain)
        pending = []
        try:
            with _signals(pending):
                if needs_keras:
                    quiet.import_keras(for_command=True)
                main(*([argv[1:]] if takes_arguments else []))
        except (Exception, KeyboardInterrupt) as error:
            # TensorFlow makes other errors of an exception that comes while it traces a function.
            kind = pending[-1] if pending else type(error)
            if issubclass(kind, _Terminated):
                print("Terminated.", file=sys.stderr)
                sys.exit(143)
            if issubclass(kind, KeyboardInterrupt):
                print("Interrupted.", file=sys.stderr)
                sys.exit(130)
            if FLAGS.debug or not isinstance(error, ValueError | OSError):
                raise
            print(f"error: {one_line(error)}", file=sys.stderr)
            sys.exit(1)

    app.usage = _usage
    app.run(guarded, flags_parser=_parse)


class _Terminated(KeyboardInterrupt):
    """SIGTERM; what is in progress ends as after Ctrl-C."""


@contextlib.contextmanager
def _signals(pending):
    """Lets SIGTERM end the block as Ctrl-C does, and loses neither.

    An exception that a signal raises while Python runs a destructor is printed and forgotten. The
    signal is therefore raised again after a while, until an exception has come through; not while
    what it interrupted is being cleaned up, but a second Ctrl-C ends that too. On Windows, which
    has no such timer, it is raised once.

    pending: list to which the exceptions of signals that have come are added.
    """

    def handle(number, frame):
        is_new = number in (signal.SIGINT, signal.SIGTERM)
        if is_new:
            pending.append(_Terminated if number == signal.SIGTERM else KeyboardInterrupt)
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, SECONDS_TO_REPEAT)
        if pending and (is_new or not _is_being_handled()):
            raise pending[-1]

    for name in ("SIGINT", "SIGTERM", "SIGALRM"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handle)
    hooks = sys.unraisablehook, sys.excepthook
    sys.unraisablehook, sys.excepthook = _unraisable, _uncaught
    try:
        yield
    finally:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0.0)
        sys.unraisablehook, sys.excepthook = hooks


def _is_being_handled():
    """Whether a signal's exception, or one that followed from it, is being handled just now."""
    error = sys.exc_info()[1]
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__context__
    return False


def _unraisable(unraisable):
    if not _is_known_already(unraisable.exc_value):
        sys.__unraisablehook__(unraisable)


def _uncaught(kind, error, traceback):
    if not _is_known_already(error):
        sys.__excepthook__(kind, error, traceback)


def _is_known_already(error):
    """Whether a destructor's error is a signal that comes again, or a file that h5py can't close.

    That happens on a full disk, and h5py prints it both ways; what made it fail was raised before.
    """
    return isinstance(error, KeyboardInterrupt) or "id ref count" in str(error)


def finished_run(method_name: str, how: str) -> pathlib.Path:
    """The run folder of --run_dir, or the newest finished run of a method.

    how: the command that trains one, for the message.

    Raises:
        ValueError: no folder was named, and there is no finished run.
    """
    if FLAGS.run_dir:
        return pathlib.Path(FLAGS.run_dir)
    folder = runs.newest_finished(method_name)
    if folder is None:
        raise ValueError(
            f"run_dir: there is no finished run of {method_name} in {runs.ROOT}/. Name one with "
            f"--run_dir=..., or train one: {how}"
        )
    progress.say(f"Model: {folder}, the newest finished run of {method_name}.")
    return folder


def _print_help(doc: str) -> None:
    try:
        print(f"{doc.strip()}\n\nFlags:\n{_describe_flags()}", flush=True)
    except BrokenPipeError:  # `--help | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _describe_flags() -> str:
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


def one_line(error: Exception) -> str:
    """What an error says, without line breaks; of the system, with the name of the file."""
    if isinstance(error, OSError) and error.strerror:
        name = f"{os.fspath(error.filename)}: " if error.filename is not None else ""
        return f"{name}{' '.join(error.strerror.split())}."
    return " ".join(str(error).split()) or type(error).__name__


def _parse(argv):
    try:
        return FLAGS(argv)
    except flags.Error as error:
        said = one_line(error)
        end = "" if said.endswith((".", "?")) else "."
        print(f"error: {said}{end} --help lists the flags.", file=sys.stderr)
        sys.exit(1)


def _usage(shorthelp=False, writeto_stdout=False, detailed_error=None, exitcode=None):
    print(f"error: {detailed_error}", file=sys.stderr)
    sys.exit(exitcode or 1)
