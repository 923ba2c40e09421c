"""Average PSNR of denoisers as a function of sigma, on grey images."""

import dataclasses

from common import noise as noises
from common.commands import flags
from common.data import datasets
from scripts.reproduce import at_sigmas, sheets, trainings

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
SHIPPED = ("photo-grey", "ssdn-gauss5_50-grey")
SHOWN = 25  # sigma at which the first image is shown as every method restores it
FIGURE = ["mean", "median", "non_local_means", "bm3d", *SHIPPED, *CONTENDERS]


def reproduce(names, output):
    """Writes psnr.csv and psnr.png with the average PSNR of every method at every sigma.

    Args:
        names: of classical methods, of `SHIPPED`, and keys of `CONTENDERS`.
        output: pathlib.Path of the folder for run folders, table and figure.
    """
    from common.evaluation import figures

    sigmas = [noises.parse(f"gauss{text}").low for text in FLAGS.sigmas]
    image_set = datasets.load(
        FLAGS.dataset or "bsd68", FLAGS.data_dir, held_back=True, max_images=FLAGS.max_images
    )
    table = at_sigmas.Table(output / "psnr.csv")
    lines, run_dirs, cells = {}, {}, []
    shown = min(sigmas, key=lambda sigma: abs(sigma - SHOWN))
    pictures = output / "pictures" / image_set.name.strip("/").replace("/", "_")
    for name in names:
        arguments = _arguments(name, output)
        if arguments:
            run_dirs[name] = trainings.run_dir(arguments)
        denoiser = at_sigmas.Denoiser(name, arguments)
        for sigma in denoiser.sigmas(sigmas):
            row = table.row(denoiser, image_set, 1, sigma, pictures if sigma == shown else None)
            lines.setdefault(name, []).append((sigma, float(row["psnr"])))
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
    print(f"Figure: {output}/psnr.png, its numbers: {output}/psnr.csv")


def _arguments(name, output):
    """Arguments of a network's training, see trainings.arguments; [] for what needs none."""
    if name not in CONTENDERS:
        return []
    contender = CONTENDERS[name]
    settings = [*contender.flags, "--channels=1", "--crop_size=64", "--validation_noise=gauss25"]
    run_dir = output / name.lower()
    return trainings.arguments(contender.package, run_dir, contender.num_images, settings)
