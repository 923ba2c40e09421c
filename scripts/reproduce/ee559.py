"""The five networks of an EE-559 report on Noise2Noise (2022), trained on pairs of 32x32 crops."""

import dataclasses

import numpy as np

from common import noise as noises
from common.commands import flags
from common.data import datasets, image_sets
from common.files import tables
from noise2x import methods
from scripts.reproduce import sheets, trainings

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
EE559_CROPS, EPOCHS = 60_000, 20
OVERFITTING_STEPS, STEPS_OF_REPORT = 500, 5  # on one batch; the report's 5 epochs of it
SHOWN = 6  # patches on the sheet of each network
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

    Also draws the report's figures 2 to 6 and repeats its test whether a network can learn one
    batch by heart.

    Args:
        networks: keys of `EE559`.
        output: pathlib.Path of the folder for run folders, tables and figures.
    """
    from common.evaluation import scoring

    image_set = datasets.load(
        FLAGS.dataset or "kodak", FLAGS.data_dir, held_back=True, max_images=FLAGS.max_images
    )
    method = methods.find("n2n_tf")
    noise = noises.Gauss(25, 25)
    examples = list(method.examples(patches(image_set), method.default_config, noise=noise))
    noisy = np.stack([inputs["noisy"] for *_, inputs in examples])
    rows, memorised, run_dirs = [], {}, {}
    epoch = max(int(EE559_CROPS * FLAGS.scale) // EPOCHS, 4)
    for network in networks:
        theirs, rate = EE559[network]
        flags_of_it = [f"--network={network}", "--noise=gauss25", f"--learning_rate={rate}"]
        flags_of_it += [f"--crop_size={PATCH}", "--batch_size=4", "--schedule=paper"]
        flags_of_it += ["--ramp_down=0", f"--eval_every={epoch}"]
        arguments = trainings.arguments("n2n_tf", output / network, EE559_CROPS, flags_of_it)
        model = trainings.trained(arguments)
        restored = model.predict_on_batch(noisy)["denoised"]
        run_dirs[network] = output / network
        memorised[network] = overfitted(method, model.config)
        _write_sheet(output / f"{network}.png", examples, restored)
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
    trainings.save_curves(run_dirs, output, epoch=epoch)
    _write_overfitting(memorised, output)
    print(f"Table: {output}/table.csv")


def overfitted(method, config):
    """Losses of a new network over steps on one and the same batch, list of float.

    Args:
        method: Noise2Noise.
        config: of the network and its optimiser; the length is that of this test.

    Reference: section 3 of the report: parameters serve if the network can learn a batch by heart.
    """
    from common.training import loop

    config = dataclasses.replace(config, num_images=OVERFITTING_STEPS * config.batch_size)
    images = method.training_images(config, FLAGS.data_dir)
    denoiser = method.build(config, images)
    loop.compile_for_training(denoiser, method.optimizer(config))
    x, y = next(iter(method.batches(images, config)))
    return [
        float(denoiser.train_on_batch(x, y, return_dict=True)["loss"])
        for _ in range(OVERFITTING_STEPS)
    ]


def _write_overfitting(memorised, output):
    """Writes overfitting.csv and overfitting.png, the loss over steps on one batch."""
    from common.evaluation import figures

    steps = (1, STEPS_OF_REPORT, OVERFITTING_STEPS)
    tables.write(
        output / "overfitting.csv",
        [
            {"network": network} | {f"loss at step {n}": f"{losses[n - 1]:.5f}" for n in steps}
            for network, losses in memorised.items()
        ],
    )
    figures.save_lines(
        {network: list(enumerate(losses, start=1)) for network, losses in memorised.items()},
        output / "overfitting.png",
        xlabel="steps on one batch",
        ylabel="loss, mean square error",
        logarithmic_y=True,
    )
    print(f"One batch learned by heart: {output}/overfitting.png, overfitting.csv")


def _write_sheet(path, examples, restored):
    """Writes a sheet of patches: noisy, restored and clean, four times as large."""
    from common.evaluation import figures

    def cells(caption, images):
        sides = (4 * PATCH, 4 * PATCH)
        return [(caption, figures.to_picture(image).resize(sides, 0)) for image in images]

    shown = examples[:SHOWN]
    rows = [
        cells("noisy", [inputs["noisy"] for *_, inputs in shown]),
        cells("restored", restored[:SHOWN]),
        cells("clean", [clean for _, clean, _ in shown]),
    ]
    sheets.write(path, rows)
