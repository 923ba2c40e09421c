"""Makes a model that comes with the project of a finished run folder.

python -m scripts.tools.ship --run_dir=runs/photo --name=photo --card=photo.json --datasets=kodak

Writes common/shipped/NAME/: the weights as float16, the configuration, and a card. The card has the
texts of --card (purpose, data, licence, training, limits, command) and the PSNR of the shipped file
on the sets of --datasets under each noise of --noises.
"""

import dataclasses
import json
import pathlib

import numpy as np
from absl import flags as absl_flags

from common import shipped
from common.commands import flags, running
from common.data import datasets
from common.files import atomic
from common.training import runs
from noise2x import methods

FLAGS = flags.FLAGS
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
    denoiser = method.load_deployed(run_dir)
    # Where the images lay is of no use to others; what they were is in the card.
    config = dataclasses.replace(denoiser.config, train_set="sample", validation_set="sample")
    folder = shipped.folder(name)
    runs.save_config(folder, method.name, config)
    runs.save_halves(folder, denoiser)
    _write_card(folder, card)


def score(name, sets, noises):
    """Adds the PSNR of a shipped model to its card, {set: {noise: dB}}."""
    from common.evaluation import scoring

    method = methods.of_run(name)
    denoiser = method.load_deployed(name)
    table = {}
    for text in sets:
        images = datasets.load(text, FLAGS.data_dir, held_back=True)
        for noise in map(denoiser.config.parse_noise, noises):
            examples = method.examples(images, denoiser.config, noise=noise)
            scores = scoring.of_results(denoiser, examples)
            table.setdefault(text, {})[str(noise)] = round(float(np.mean(scores.psnr)), 3)
            print(scores.line(text, noise), flush=True)
    _write_card(shipped.folder(name), shipped.card(name) | {"psnr": table})


def _write_card(folder, card):
    with atomic.replacing(folder / "card.json") as temporary:
        temporary.write_text(json.dumps(card, indent=2) + "\n")


def run():
    """Ships and scores."""
    flags.require("run_dir", "name", "card")
    ship(FLAGS.run_dir, FLAGS.name, json.loads(pathlib.Path(FLAGS.card).read_text()))
    score(FLAGS.name, FLAGS.datasets, FLAGS.noises)


def main():
    """Runs the program."""
    running.run(run, define_flags, __doc__)


if __name__ == "__main__":
    main()
