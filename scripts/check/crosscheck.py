"""Compares this project with outputs of the original implementations, within stated tolerances.

python -m scripts.crosscheck                                   # the fixtures of tests/golden
python -m scripts.crosscheck --golden=../shared/golden --only='ssdn_*'

Prints a table: fixture, quantity, largest absolute difference, tolerance, ok. Exit code 1 when one
fails. Fixtures without a checker are listed, and fail with --strict.
"""

import fnmatch
import os
import pathlib
import zipfile

# oneDNN adds in another order, which is right to 1e-5 but now and then moves an activation across
# the kink of its ReLU: outputs stay, gradients there jump. The references summed in Eigen's order.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

from absl import flags as absl_flags

from common.commands import flags, running
from scripts.check import golden_files

FLAGS = flags.FLAGS


def define_flags():
    absl_flags.DEFINE_string("golden", str(golden_files.FOLDER), "Folder of golden files.")
    absl_flags.DEFINE_string("only", "*", "Pattern of fixture names, for instance ssdn_*.")
    absl_flags.DEFINE_bool("strict", False, "Fixtures without a checker count as failures.")


def find_fixtures(folder, pattern="*"):
    """Names of the golden files in a folder, sorted.

    Raises:
        ValueError: no such folder, or nothing matches.
    """
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise ValueError(f"golden={folder}: no such folder.")
    names = sorted(path.stem for path in folder.glob("*.npz"))
    found = [name for name in names if fnmatch.fnmatch(name, pattern)]
    if not found:
        raise ValueError(f"only={pattern!r}: matches none of {len(names)} fixtures in {folder}.")
    return found


def _rows(checker, name):
    """The checker's rows; a damaged fixture is one that failed."""
    from scripts.check.checkers import comparing

    try:
        arrays, meta = golden_files.load(name, FLAGS.golden)
        yield from checker(arrays, meta | {"folder": FLAGS.golden})
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        if FLAGS.debug:
            raise
        yield comparing.Row(f"not readable: {error}"[:34], float("nan"), "", False)


def run():
    from scripts.check import checkers

    failures, unknown = 0, []
    names = find_fixtures(FLAGS.golden, FLAGS.only)
    print(f"{'fixture':42} {'quantity':34} {'max abs diff':>12} {'tolerance':>12}  ok")
    for name in names:
        checker = checkers.find(name)
        if checker is None:
            unknown.append(name)
            print(f"{name:42} no checker")
            continue
        for row in _rows(checker, name):
            failures += not row.ok
            print(
                f"{name:42} {row.quantity:34} {row.difference:12.3g} {row.tolerance:>12}  "
                + ("ok" if row.ok else "FAILED"),
                flush=True,
            )
    print(f"{len(names) - len(unknown)} fixtures checked, {failures} quantities failed.")
    if unknown:
        print(f"{len(unknown)} without a checker: {', '.join(unknown)}")
    if failures or (unknown and FLAGS.strict):
        raise SystemExit(1)


def main():
    running.run(run, define_flags, __doc__)


if __name__ == "__main__":
    main()
