"""Compares this project with outputs of the original implementations, the golden files.

noise2x crosscheck                                             # the golden files of tests/golden
noise2x crosscheck --golden=other/golden --only='ssdn_*'

It prints a table: golden file (fixture), quantity, largest absolute difference, tolerance, ok. The
exit code is 1 if a quantity fails. Golden files without a checker are listed; with --strict they
fail too.
"""

import fnmatch
import os
import pathlib
import zipfile

# oneDNN sums in another order than Eigen, with which the golden files were made. Its results are
# right to 1e-5. But this sometimes moves an activation across the kink of its ReLU, where the
# output hardly changes and the gradient jumps.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

from absl import flags as absl_flags

from common.commands import flags, running
from scripts.check import golden_files

FLAGS = flags.FLAGS


def define_flags():
    """Defines the flags of this program."""
    absl_flags.DEFINE_string(
        "golden", str(golden_files.FOLDER), "Folder of the golden files [tests/golden]."
    )
    absl_flags.DEFINE_string(
        "only", "*", "Pattern of the names of golden files to compare, for instance ssdn_* [*]."
    )
    absl_flags.DEFINE_bool("strict", False, "Count golden files without a checker as failures.")


def find_fixtures(folder, pattern="*"):
    """Names of the golden files in a folder that match a pattern, sorted.

    Raises:
        ValueError: the folder does not exist, or no name matches.
    """
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise ValueError(
            f"golden={folder}: no such folder. The golden files are in the checkout, not in an "
            "installed wheel: name their folder with --golden=..."
        )
    names = sorted(path.stem for path in folder.glob("*.npz"))
    matching = [name for name in names if fnmatch.fnmatch(name, pattern)]
    if not matching:
        raise ValueError(f"only={pattern!r}: matches none of {len(names)} fixtures in {folder}.")
    return matching


def _rows(checker, name):
    """Yields the checker's rows; a damaged golden file gives one row that failed."""
    from scripts.check.checkers import comparing

    try:
        arrays, meta = golden_files.load(name, FLAGS.golden)
        yield from checker(arrays, meta | {"folder": FLAGS.golden})
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        if FLAGS.debug:
            raise
        yield comparing.Row(f"not readable: {error}"[:34], float("nan"), "", False)


def run():
    """Compares the golden files and prints the table; exits with 1 if a quantity fails."""
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
    """Runs `noise2x crosscheck`."""
    running.run(run, define_flags, __doc__)


if __name__ == "__main__":
    main()
