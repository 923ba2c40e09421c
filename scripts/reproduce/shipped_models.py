"""The models that come along, scored on the sets of the papers beside BM3D."""

from common import shipped
from common.commands import flags
from common.data import datasets
from common.files import atomic
from scripts.reproduce import at_sigmas, published

FLAGS = flags.FLAGS
SETS = {"kodak": 3, "bsd300": 3, "bsd68": 1, "set12": 1}  # and the channels of their images
SIGMAS = (15, 25, 50)
FOOTNOTE = (
    "Published figures are of whole sets. SSDN's are of pictures that the network sees beyond "
    "their borders, as by `evaluate --pad_clean`; those of Krull 2019 are of floats, not rounded."
)
ROWS = ["noisy", "bm3d", *shipped.names(same_size=True)]


def reproduce(names, output):
    """Writes table.csv with the scores, and table.md, for people, of all that it has.

    Below them table.md has what others published for these sets at sigma 25. A model for a range of
    sigmas is not told which it is. One for a single sigma has a score there.

    Args:
        names: of `ROWS`.
        output: pathlib.Path of the folder for the tables.

    Raises:
        ValueError: a set is not here.
    """
    table = at_sigmas.Table(output / "table.csv")
    denoisers = [at_sigmas.Denoiser(name) for name in names]
    for name in [FLAGS.dataset] if FLAGS.dataset else SETS:
        images = datasets.load(name, FLAGS.data_dir, held_back=True, max_images=FLAGS.max_images)
        channels = SETS.get(name) or max(image.shape[-1] for image in images.images)
        for denoiser in denoisers:
            if denoiser.channels not in (None, channels):
                continue
            for sigma in denoiser.sigmas(SIGMAS):
                table.row(denoiser, images, channels, sigma)
            _write(table.rows, output / "table.md")
    print(f"Table: {output}/table.md; all scores: {output}/table.csv")


def _write(rows, path):
    """Writes the tables for people: a line a set and model; and a line a published method."""
    lines = [
        f"| set | model | {' | '.join(f'sigma {sigma}' for sigma in SIGMAS)} | sigma found | "
        "within 1 and 2 deviations, % |",
        f"| --- | --- | {'--- | ' * len(SIGMAS)}--- | --- |",
    ]
    scored = {}
    for row in rows:
        key = (f"{row['dataset']} ({row['images']})", row["method"])
        scored.setdefault(key, {})[row["sigma"]] = row
    lines += [f"| {' | '.join([*key, *_cells(scores)])} |" for key, scores in scored.items()]
    sets = list(dict.fromkeys(row["dataset"] for row in rows))
    found = published.at_sigma_25(sets)
    sets = [name for name in sets if any(name in psnr for psnr in found.values())]
    if found:
        lines += ["", f"| published, sigma 25 | {' | '.join(sets)} |"]
        lines += ["| --- |" + " --- |" * len(sets)]
    for label, psnr in found.items():
        cells = [f"{psnr[name]:.2f}" if name in psnr else "" for name in sets]
        lines.append(f"| {' | '.join([label, *cells])} |")
    lines += ["", FOOTNOTE] if found else []
    with atomic.replacing(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n")


def _cells(scores):
    """The cells of a model's line, from its scores at each sigma: {sigma: row}."""
    psnr, found, within = [], [], []
    for row in (scores.get(str(sigma)) for sigma in SIGMAS):
        psnr.append(f"{float(row['psnr']):.2f} ({float(row['ssim']):.3f})" if row else "")
        if row and row["sigma_found"]:
            found.append(row["sigma_found"])
        if row and row["within_1"]:
            one, two = (100 * float(row[f"within_{count}"]) for count in (1, 2))
            within.append(f"{one:.1f}, {two:.1f}")
    return [*psnr, " / ".join(found), " / ".join(within)]
