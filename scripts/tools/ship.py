"""Makes a model that comes with the project of a finished run folder.

python -m scripts.tools.ship --run_dir=runs/photo --name=photo --card=photo.json --datasets=kodak

Writes common/shipped/NAME/: the weights as float16, the configuration, and a card. The card has the
texts of --card (purpose, data, licence, training, limits, command) and the PSNR of the shipped file
on the sets of --datasets under each noise of --noises. docs/models.md, the page of all cards, is
written anew.

A model that predicts its uncertainty gets the factor (std_scale) by which its deviations tell the
errors on --calibrate_on, images of none of these sets; the card has how often errors are within 1
and 2 deviations.
"""

import dataclasses
import json
import pathlib
import textwrap

import numpy as np
from absl import flags as absl_flags

from common import shipped
from common.commands import flags, running
from common.data import datasets
from common.files import atomic
from common.training import runs
from noise2x import methods

FLAGS = flags.FLAGS
WIDTH = 120  # of the page's lines
PAGE = pathlib.Path(__file__).parents[2] / "docs" / "models.md"
TEXTS = ("purpose", "data", "licence", "training", "limits", "command")  # of a card


def define_flags():
    """Defines the flags of this program."""
    flags.define_data()
    absl_flags.DEFINE_string("run_dir", None, "Run folder of a finished training. Required.")
    absl_flags.DEFINE_string("name", None, "Name of the model. Required.")
    absl_flags.DEFINE_string("card", None, f"JSON file of texts: {', '.join(TEXTS)}. Required.")
    absl_flags.DEFINE_list("datasets", ["kodak"], "Sets to score the shipped file on [kodak].")
    absl_flags.DEFINE_list(
        "noises", ["gauss15", "gauss25", "gauss50"], "Noises to score it under [15, 25, 50]."
    )
    absl_flags.DEFINE_string(
        "calibrate_on", "sample", "Images to calibrate the predicted uncertainty on [sample]."
    )


def ship(run_dir, name, card):
    """Writes a model's folder without scores.

    Raises:
        runs.RunError: no finished run.
        ValueError: a card without one of `TEXTS`.
    """
    if missing := [text for text in TEXTS if not card.get(text)]:
        raise ValueError(f"card: lacks {', '.join(missing)}.")
    if not runs.is_finished(run_dir):
        raise runs.RunError(f"{run_dir}: its training has not reached its end.")
    method = methods.of_run(run_dir)
    denoiser = method.load(run_dir)
    # Where the images lay is of no use to others; what they were is in the card.
    settings = {"train_set": "sample", "validation_set": "sample", "model": "", "std_scale": 1.0}
    config = denoiser.config = dataclasses.replace(denoiser.config, **settings)
    if denoiser.predicts_std:
        config = dataclasses.replace(config, std_scale=_std_scale(method, denoiser))
    folder = shipped.folder(name)
    runs.save_config(folder, method.name, config)
    runs.save_halves(folder, denoiser)
    _write_card(folder, card)


def _std_scale(method, denoiser):
    """The factor for predicted deviations: that of the errors, over the noises of --noises."""
    from common.evaluation import scoring

    images = datasets.load(FLAGS.calibrate_on, FLAGS.data_dir, held_back=True)
    logarithms = []
    for noise in map(denoiser.config.parse_noise, FLAGS.noises):
        examples = method.examples(images, denoiser.config, noise=noise)
        _, calibration = scoring.of_results(denoiser, examples)
        logarithms.append(np.log(calibration.ratio))
        print(f"{images.name} {noise}: {calibration}", flush=True)
    return round(float(np.exp(np.mean(logarithms))), 3)


def score(name, sets, noises):
    """Adds the PSNR of a shipped model to its card, {set: {noise: dB}}, and its calibration."""
    from common.evaluation import scoring

    method = methods.of_run(name)
    denoiser = method.load(name)
    table, coverage = {}, {}
    for text in sets:
        images = datasets.load(text, FLAGS.data_dir, held_back=True)
        for noise in map(denoiser.config.parse_noise, noises):
            examples = method.examples(images, denoiser.config, noise=noise)
            scores, calibration = scoring.of_results(denoiser, examples)
            if calibration.ratio is not None:
                within = [round(share, 4) for share in calibration.coverage]
                line = {"ratio": round(calibration.ratio, 3), "within": within}
                coverage.setdefault(text, {})[str(noise)] = line
            table.setdefault(text, {})[str(noise)] = round(float(np.mean(scores.psnr)), 3)
            print(scores.line(text, noise), flush=True)
    more = {"psnr": table} | ({"uncertainty": coverage} if coverage else {})
    _write_card(shipped.folder(name), shipped.card(name) | more)


def page():
    """The cards of all models as a page of docs/, in Markdown."""
    lines = ["# Models that come along", ""]
    lines += textwrap.wrap(
        "Their cards, as `noise2x models NAME` prints them. PSNR, in dB, is that of the shipped "
        "file. RESULTS.md has them side by side, beside BM3D and what others published.",
        WIDTH,
    )
    for name in shipped.names():
        card = shipped.card(name)
        size = sum(path.stat().st_size for path in shipped.folder(name).iterdir())
        purpose = f"{card['purpose'][0].upper()}{card['purpose'][1:]}. {size / 1e6:.1f} MB."
        lines += ["", f"## {name}", "", *textwrap.wrap(purpose, WIDTH), ""]
        for text in TEXTS[1:-1]:
            item = f"* {text.capitalize()}: {card[text]}."
            lines += textwrap.wrap(item, WIDTH, subsequent_indent="  ")
        lines += [f"* Its figure: `{card['command']}`", ""]
        columns = ["images", "noise", "PSNR"]
        uncertainty = card.get("uncertainty")
        columns += ["errors within 1 and 2 predicted deviations"] if uncertainty else []
        lines += [f"| {' | '.join(columns)} |", f"| {' | '.join(['---'] * len(columns))} |"]
        for images, levels in card["psnr"].items():
            for noise, psnr in levels.items():
                cells = [images, noise, f"{psnr:.2f}"]
                if uncertainty:
                    cells.append("{:.1%} and {:.1%}".format(*uncertainty[images][noise]["within"]))
                lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _write_page():
    """Writes docs/models.md, in a checkout; an installed package has no such folder."""
    if PAGE.parent.is_dir():
        with atomic.replacing(PAGE) as temporary:
            temporary.write_text(page())


def _write_card(folder, card):
    with atomic.replacing(folder / "card.json") as temporary:
        temporary.write_text(json.dumps(card, indent=2) + "\n")


def run():
    """Ships and scores."""
    flags.require("run_dir", "name", "card")
    ship(FLAGS.run_dir, FLAGS.name, json.loads(pathlib.Path(FLAGS.card).read_text()))
    score(FLAGS.name, FLAGS.datasets, FLAGS.noises)
    _write_page()


def main():
    """Runs the program."""
    running.run(run, define_flags, __doc__)


if __name__ == "__main__":
    main()
