"""Average PSNR of classical denoisers and networks as a function of sigma, on grey images."""

import dataclasses
import time

import numpy as np

from common import noise as noises
from common.commands import flags
from common.data import datasets
from common.evaluation import baselines
from common.files import tables
from noise2x import methods
from scripts.reproduce import sheets, trainings

FLAGS = flags.FLAGS


@dataclasses.dataclass(frozen=True)
class Contender:
    """A network of the figure.

    package: of its method.
    num_images: length of its training at scale 1, in crops.
    flags: of its training.
    """

    package: str
    num_images: int
    flags: tuple


CONTENDERS = {
    "N2N": Contender("n2n_tf", 30_000, ("--noise=gauss0_50", "--batch_size=4")),
    "RDUNet": Contender(
        "rdunet_tf", 20_000, ("--width=16", "--batch_size=4", "--learning_rate=1e-3")
    ),
    "N2V": Contender("n2v_tf", 40_000, ("--noise=gauss5_50", "--batch_size=16", "--loss=mse")),
    "SSDN": Contender("ssdn_tf", 5_000, ("--noise=gauss5_50", "--batch_size=1")),
}
SHOWN = 25  # sigma at which the first image is shown as every method restores it
FIGURE = ["mean", "median", "non_local_means", "bm3d", *CONTENDERS]


def reproduce(names, output):
    """Writes psnr.csv and psnr.png with the average PSNR of every method at every sigma.

    Args:
        names: of classical methods, and keys of `CONTENDERS`.
        output: pathlib.Path of the folder for run folders, table and figure.
    """
    from common.evaluation import figures, scoring

    ssdn = methods.find("ssdn_tf")  # its examples are grey images with Gaussian noise
    config = dataclasses.replace(ssdn.default_config, channels=1)
    sigmas = [noises.parse(f"gauss{text}").low for text in FLAGS.sigmas]
    image_set = datasets.load(
        FLAGS.dataset or "bsd68", FLAGS.data_dir, held_back=True, max_images=FLAGS.max_images
    )
    path = output / "psnr.csv"
    rows, lines, run_dirs, cells = tables.read_known(path, KEY + FIGURES, KEY), {}, {}, []
    shown = min(sigmas, key=lambda sigma: abs(sigma - SHOWN))
    pictures = output / "pictures" / image_set.name.strip("/").replace("/", "_")
    for name in names:
        arguments, restore = _arguments(name, output), None
        if arguments:
            run_dirs[name] = trainings.run_dir(arguments)
        for sigma in sigmas:
            noise = noises.Gauss(sigma, sigma)
            # What a row is about; a row that an earlier run has written is not computed again.
            key = (name, f"{sigma:g}", image_set.name, str(len(image_set)), " ".join(arguments))
            if key not in rows:
                restore = restore or _restorer(name, arguments)
                began = time.monotonic()
                scores = scoring.Scores()
                for _, clean, inputs in ssdn.examples(image_set, config, noise=noise):
                    restored = restore(inputs)
                    if not scores.psnr and sigma == shown:
                        sheets.keep(pictures / "clean.png", clean)
                        sheets.keep(pictures / f"noisy-{sigma:g}.png", inputs["noisy"])
                        sheets.keep(pictures / f"{name}-{sigma:g}.png", restored)
                    scores.add(clean, restored)
                figures_of_it = (
                    f"{np.mean(scores.psnr):.3f}",
                    f"{np.nanmean(scores.ssim):.4f}",
                    f"{time.monotonic() - began:.1f}",
                )
                rows[key] = dict(zip(KEY + FIGURES, key + figures_of_it))
                print(f"{scores.line(image_set.name, noise)} method={name}", flush=True)
                tables.write(path, list(rows.values()))
            lines.setdefault(name, []).append((sigma, float(rows[key]["psnr"])))
        cells.append((name, pictures / f"{name}-{shown:g}.png"))
    cells = [
        ("clean", pictures / "clean.png"),
        ("noisy", pictures / f"noisy-{shown:g}.png"),
        *cells,
    ]
    sheets.write(output / "side_by_side.png", sheets.in_rows(sheets.kept(cells)))
    trainings.save_curves(run_dirs, output)
    figures.save_lines(
        {name: sorted(points) for name, points in lines.items()},
        output / "psnr.png",
        xlabel="sigma of the noise, of 255",
        ylabel=f"average PSNR on {image_set.name}, dB",
    )
    print(f"Figure: {output}/psnr.png, its numbers: {path}")


KEY = ("method", "sigma", "dataset", "images", "training")
FIGURES = ("psnr", "ssim", "seconds")


def _arguments(name, output):
    """Arguments of a network's training, see trainings.arguments; [] for a classical method."""
    if name not in CONTENDERS:
        return []
    contender = CONTENDERS[name]
    settings = [*contender.flags, "--channels=1", "--crop_size=64", "--validation_noise=gauss25"]
    run_dir = output / name.lower()
    return trainings.arguments(contender.package, run_dir, contender.num_images, settings)


def _restorer(name, arguments):
    """A function that returns the restored image for the inputs of a denoiser."""
    if not arguments:
        function = baselines.available([name])[name]
        return lambda inputs: function(inputs["noisy"], inputs["noise_level"])
    from common.restoring import prediction

    model = trainings.trained(arguments)
    return lambda inputs: prediction.restore(model, inputs)["denoised"]
