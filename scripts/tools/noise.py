"""Says how noisy files are, and which method suits the noise.

noise2x noise photo.jpg scans/*.tif
noise2x noise scans --csv=noise.csv --plot=noise.png

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

from absl import app
from absl import flags as absl_flags

from common.commands import flags, running
from common.files import listing, stacks, tables
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
    absl_flags.DEFINE_string(
        "plot",
        None,
        "PNG file for the noise level functions: deviation of the noise over the value [none].",
    )


# Which method suits which noise, see `kind`.
ADVICE = {
    "shared": "if it is noise: noise2x denoise --model=photo-camera, of colour pictures; raw data, "
    "or a smaller copy, has more independent noise.",
    "none": "leaving it alone.",
    "grows": "noise2x denoise --calibrate, or noise2x train n2v --data_path=..., on the file "
    "itself.",
    "strong": "noise2x train n2v or ssdn, on such files.",
    "even": "noise2x denoise, as it is.",
}


def looks(path):
    """Yields (row, Finding) for each page of a file; raises ImageError where it can't be read."""
    from common.evaluation import noise_level

    stack = stacks.read(path, max_bytes=MAX_BYTES)
    view = stack.view(2, stack.channels_among((3, 1)) or 1)
    for number in range(view.count):
        page = view.read(number, view.middle())
        try:
            finding = noise_level.examine(page)
        except ValueError as error:
            raise ImageError(f"{path}: {error}") from error
        yield (
            {
                "file": str(path),
                "page": number if view.count > 1 else "",
                "sigma": f"{finding.sigma:.4g}",
                "almost_none": finding.almost_none,
                "calm": f"{finding.calm:.4g}",
                "correlation": f"{finding.correlation:.2f}",
                "shared": finding.shared,
                "grows": finding.grows,
                "gain": f"{finding.gain:.4g}" if finding.grows else "",
                "offset": f"{finding.offset:.4g}" if finding.grows else "",
                "clipped": f"{finding.clipped:.4f}",
            },
            finding,
        )


def sentence(row, finding):
    """What a row says, in a line, and what to do about it."""
    return f"{title(row)}: {words(row, finding)}. Suits: {ADVICE[kind(finding)]}"


def words(row, finding):
    """What a row says of the noise."""
    parts = [f"sigma {row['sigma']}" + (", almost none" if finding.almost_none else "")]
    if finding.shared:
        parts.append(
            f"but calm areas vary by {row['calm']}, {finding.how_shared} ({row['correlation']}): "
            "noise that they share, as in JPEG files, or fine texture"
        )
    elif not finding.almost_none:
        parts.append(f"neighbours independent ({row['correlation']})")
    if finding.grows and not finding.almost_none:
        parts.append(f"grows: variance {row['gain']} * value + {row['offset']}")
    if finding.clipped > 0.01:
        parts.append(f"{100 * finding.clipped:.1f} % clipped")
    return "; ".join(parts)


def title(row):
    """File and page of a row."""
    return row["file"] + (f" page {row['page']}" if row["page"] != "" else "")


def kind(finding):
    """What the noise is like, as far as it matters for the choice of a method: a key of ADVICE."""
    if finding.shared:
        return "shared"
    if finding.almost_none:
        return "none"
    if finding.grows:
        return "grows"
    return "strong" if finding.sigma > MAX_SIGMA * finding.span / 255 else "even"


def run(arguments):
    """Prints a line for each page of the files that the arguments name."""
    if not arguments:
        raise app.UsageError("Name the files to look at: photo.jpg, a folder, or 'scans/*.tif'.")
    rows, lines, bad = [], {}, 0
    for line in (line for pattern in arguments for line in listing.left_out(pattern)):
        print(line, flush=True)
    for path in (path for pattern in arguments for path in listing.list_files(pattern)):
        try:
            for row, finding in looks(path):
                rows.append(row)
                lines[title(row)] = [(value, variance**0.5) for value, variance in finding.levels]
                print(sentence(row, finding), flush=True)
        except ImageError as error:
            bad += 1
            print(f"{error} Skipped.", flush=True)
    if FLAGS.csv:
        tables.write(FLAGS.csv, rows, COLUMNS)
    lines = {name: points for name, points in lines.items() if points}
    if FLAGS.plot and lines:
        from common.evaluation import figures

        figures.save_lines(
            lines,
            FLAGS.plot,
            xlabel="value",
            ylabel="deviation of the noise, in values of the file",
        )
        print(f"Noise level functions: {FLAGS.plot}")
    if bad:
        raise ValueError(f"{bad} files could not be read; they are named above.")


def main():
    """Runs `noise2x noise`."""
    running.run(run, define_flags, __doc__, takes_arguments=True, needs_keras=False)


if __name__ == "__main__":
    main()
