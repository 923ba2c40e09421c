"""The five networks of an EE-559 report on Noise2Noise (2022), trained on pairs of 32x32 crops."""

import numpy as np

from common import noise as noises
from common.commands import flags
from common.data import datasets, image_sets
from common.files import tables
from noise2x import methods
from scripts.reproduce import trainings

FLAGS = flags.FLAGS

# Network -> (the report's best PSNR on its own 32x32 images, table 2; our learning rate). All
# networks are trained on the same number of crops.
EE559 = {
    "unet": (25.55, 1e-3),
    "convtrans_relu": (24.05, 0.1),
    "nn_relu": (23.79, 0.1),
    "convtrans_sigmoid": (23.44, 0.1),
    "nn_sigmoid": (23.29, 0.1),
}
# The report's 20 epochs; it does not say how many pairs an epoch has. None of its rates is ramped.
EE559_CROPS = 60_000
PATCH, PATCHES = 32, 1000  # side of a patch, pixels; number of patches that are scored


def patches(image_set):
    """Cuts `PATCHES` squares from random, but always the same, places of the images: an ImageSet.

    Raises:
        ValueError: all images are smaller than a patch.
    """
    rng = np.random.default_rng(0)
    large = image_set.only(lambda image: min(image.shape[:2]) >= PATCH).images
    if not large:
        raise ValueError(f"{image_set.name}: every image is smaller than {PATCH}x{PATCH}.")
    cut = []
    for number in range(PATCHES):
        image = large[number % len(large)]
        top, left = (int(rng.integers(side - PATCH + 1)) for side in image.shape[:2])
        cut.append(image[top : top + PATCH, left : left + PATCH])
    return image_sets.ImageSet(image_set.name, cut, [f"{i:04d}" for i in range(PATCHES)])


def reproduce(networks, output):
    """Trains the networks, scores them, and writes their PSNR beside the report's.

    Args:
        networks: keys of `EE559`.
        output: pathlib.Path of the folder for run folders and table.csv.
    """
    from common.evaluation import scoring

    image_set = datasets.load(
        FLAGS.dataset or "kodak", FLAGS.data_dir, held_back=True, max_images=FLAGS.max_images
    )
    method = methods.find("n2n_tf")
    noise = noises.Gauss(25, 25)
    examples = list(method.examples(patches(image_set), method.default_config, noise=noise))
    noisy = np.stack([inputs["noisy"] for *_, inputs in examples])
    rows = []
    for network in networks:
        theirs, rate = EE559[network]
        flags_of_it = [f"--network={network}", "--noise=gauss25", f"--learning_rate={rate}"]
        flags_of_it += [f"--crop_size={PATCH}", "--batch_size=4", "--schedule=paper"]
        flags_of_it += ["--ramp_down=0"]
        arguments = trainings.arguments("n2n_tf", output / network, EE559_CROPS, flags_of_it)
        restored = trainings.trained(arguments).predict_on_batch(noisy)["denoised"]
        scores = scoring.Scores()
        for (_, clean, _), image in zip(examples, restored):
            scores.add(clean, image)
        row = {"network": network, "report": theirs, "ours": f"{np.mean(scores.psnr):.2f}"}
        rows.append(row | {"command": "python " + " ".join(arguments)})
        tables.write(output / "table.csv", rows)
    print(
        f"\n{'network':18} {'report':>7} {'ours':>7}   dB, on {PATCHES} crops of {image_set.name}"
    )
    for row in rows:
        print(f"{row['network']:18} {row['report']:7.2f} {row['ours']:>7}")
    for column in ("report", "ours"):
        order = sorted(rows, key=lambda row: -float(row[column]))
        print(f"Order, {column}: {' > '.join(row['network'] for row in order)}")
    print(f"Table: {output}/table.csv")
