"""Says how noisy files are, and which method suits the noise.

noise2x noise photo.jpg scans/*.tif
noise2x noise scans --csv=noise.csv

sigma        standard deviation of the noise that is independent between pixels, in the values of
             the file; of 8-bit files that is of 255
neighbours   whether calm areas vary by more than that, neighbours together: noise that they share,
             as JPEG files of cameras have, or fine texture. Methods here need independent noise
grows        whether the noise grows with the signal, as that of photons does: the variance is
             gain * value + offset, in the values of the file
suits        what to restore the file with

With noise from 5 to 50 on the 24 images of Kodak the mean sigma is right within 1 %, and the worst
within 3.5 %; clipped to 8 bits, strong noise is weaker than it was (RESULTS.md). In grey images
fine texture can't be told from weak noise, and counts as noise.
"""

import csv
import pathlib

from absl import app
from absl import flags as absl_flags

from common.commands import flags, running
from common.files import atomic, listing, stacks
from common.files.errors import ImageError

FLAGS = flags.FLAGS
MAX_BYTES = 10**9  # of larger files only the middle of each page is read
MAX_SIGMA = 55  # of 255, that shipped models know
COLUMNS = (
    *("file", "page", "sigma", "almost_none", "calm", "correlation", "shared"),
    *("grows", "gain", "offset", "clipped"),
)


def define_flags():
    """Defines the flags of this program."""
    absl_flags.DEFINE_string("csv", None, "File to write the table to [none].")


def looks(path):
    """Yields (row, Finding) for each page of a file; raises ImageError where it can't be read."""
    from common.evaluation import noise_level

    stack = stacks.read(path, max_bytes=MAX_BYTES)
    view = stack.view(2, stack.channels_among((3, 1)) or 1)
    for number in range(view.count):
        page = view.read(number, view.middle(noise_level.MAX_SIDE))
        try:
            found = noise_level.examine(page)
        except ValueError as error:
            raise ImageError(f"{path}: {error}") from error
        yield (
            {
                "file": str(path),
                "page": number if view.count > 1 else "",
                "sigma": f"{found.sigma:.4g}",
                "almost_none": found.almost_none,
                "calm": f"{found.calm:.4g}",
                "correlation": f"{found.correlation:.2f}",
                "shared": found.shared,
                "grows": found.grows,
                "gain": f"{found.gain:.4g}" if found.grows else "",
                "offset": f"{found.offset:.4g}" if found.grows else "",
                "clipped": f"{found.clipped:.4f}",
            },
            found,
        )


def sentence(row, found):
    """What a row says, in a line."""
    name = row["file"] + (f" page {row['page']}" if row["page"] != "" else "")
    said = [f"sigma {row['sigma']}" + (", almost none" if found.almost_none else "")]
    if found.shared:
        said.append(
            f"but calm areas vary by {row['calm']}, {found.how_shared} ({row['correlation']}): "
            "noise that they share, as in JPEG files, or fine texture"
        )
    elif not found.almost_none:
        said.append(f"neighbours independent ({row['correlation']})")
    if found.grows and not found.almost_none:
        said.append(f"grows: variance {row['gain']} * value + {row['offset']}")
    if found.clipped > 0.01:
        said.append(f"{100 * found.clipped:.1f} % clipped")
    return f"{name}: {'; '.join(said)}. {advice(found)}"


def advice(found):
    """Which method suits the noise."""
    if found.shared:
        return (
            "Suits: if it is noise, nothing here as it is; raw data, or a smaller copy, has more "
            "independent noise."
        )
    if found.almost_none:
        return "Suits: leaving it alone."
    if found.grows:
        return "Suits: noise2x train n2v --data_path=..., on the file itself."
    if found.sigma > MAX_SIGMA * found.span / 255:
        return "Suits: noise2x train n2v or ssdn, on such files."
    return "Suits: noise2x denoise, as it is."


def run(arguments):
    """Prints a line for each page of the files that the arguments name."""
    if not arguments:
        raise app.UsageError("Name the files to look at: photo.jpg, a folder, or 'scans/*.tif'.")
    rows, bad = [], 0
    for line in (line for pattern in arguments for line in listing.left_out(pattern)):
        print(line, flush=True)
    for path in (path for pattern in arguments for path in listing.list_files(pattern)):
        try:
            for row, found in looks(path):
                rows.append(row)
                print(sentence(row, found), flush=True)
        except ImageError as error:
            bad += 1
            print(f"{error} Skipped.", flush=True)
    if FLAGS.csv:
        path = pathlib.Path(FLAGS.csv)
        with atomic.replacing(path) as temporary, open(temporary, "w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
    if bad:
        raise ValueError(f"{bad} files could not be read; they are named above.")


def main():
    """Runs `noise2x noise`."""
    running.run(run, define_flags, __doc__, takes_arguments=True, needs_keras=False)


if __name__ == "__main__":
    main()
