"""The settings of a Noise2Void training, and the named configurations."""

import dataclasses
import pathlib
import re
import typing

import numpy as np

from common import configuration, processor
from common import noise as noises
from common.configuration import expect, setting
from common.files import axis_letters
from n2v_tf import blind_spots

MAX_CHANNELS = 64
EPOCHS, STEPS = 100, 400  # juglab's defaults
PAPER_SPOTS, FAST_SPOTS = 1.5, 5.0  # per cent of the pixels
MIN_SPOTS = 1  # least average number of blind spots in a patch


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(configuration.Config):
    """Settings of a Noise2Void training; the defaults are those of juglab's n2v 0.3.3.

    For images of one's own in 2D the schedule is the fast one, with more blind spots, see
    docs/performance.md; schedule="paper" brings juglab's. The run folder holds them as config.json.
    """

    AUGMENTS: typing.ClassVar[bool] = True
    NOISES: typing.ClassVar[tuple] = (
        noises.Gauss,
        noises.Poisson,
        noises.PoissonGauss,
        noises.MultiGauss,
        noises.Impulse,
        noises.NoNoise,
    )
    FAST_RATE: typing.ClassVar[float] = 1e-3
    OWN_FILES: typing.ClassVar[tuple] = ("data_path",)
    CHANNELS: typing.ClassVar[range] = range(1, MAX_CHANNELS + 1)

    data_path: str | None = setting(
        None,
        "Your noisy files: a folder, a glob or one file. They replace train_set, and no noise is "
        "added to them.",
        str,
    )
    file_pattern: str = setting(
        "*", "Pattern of the file names in the folder data_path, for instance *.tif."
    )
    dims: str | None = setting(
        None,
        "Axes of your files, one letter each: YX, TYX, YXC, ZYX, TZYXC, ... With Z a 3D network is "
        "trained [as TIFF files say; otherwise every page is an image of its own].",
        str,
    )
    noise: noises.Noise | None = setting(
        None,
        "Noise to add to train_set: gauss25, gauss5_50, poisson30, impulse50, ...; not added to "
        "files of data_path.",
        noises.Noise,
    )
    redraw_noise: bool = setting(
        True,
        "Draw new noise each time that an image of train_set is shown; otherwise once for each "
        "image, as if the files were noisy.",
    )
    channels: int = setting(
        1, "Channels of the images: 1 (grey), 3 (colour), or the length of axis C of your files."
    )
    epochs: int | None = setting(None, f"Length of the training, in epochs [{EPOCHS}].", int)
    steps_per_epoch: int | None = setting(None, f"Steps in an epoch [{STEPS}].", int)
    num_images: int | None = setting(
        None,
        "Length of the training, in crops shown, instead of epochs x steps_per_epoch x batch_size.",
        int,
    )
    batch_size: int = setting(16, "Crops in a step.", positive=True)
    crop_size: int = setting(64, "Side of a training crop, pixels; a multiple of 2^depth.")
    crop_depth: int = setting(
        0,
        "Depth of a training crop, pages; a multiple of 2^depth; 0: 2D images, or 16 pages where "
        "dims has Z.",
    )
    augment: bool = setting(
        True,
        "Turn and mirror the crops at random, in those ways that leave struct_kernel unchanged.",
    )
    learning_rate: float | None = setting(
        None, "Learning rate before it is ramped down.", float, positive=True
    )
    unet: str = setting(
        "juglab",
        "Network: juglab, or laine, the plain U-Net of Laine et al. 2019 (2D), for which depth, "
        "width and the other settings of juglab's have no meaning.",
    )
    depth: int = setting(
        2, "How many times the network halves the sides of an image.", positive=True
    )
    width: int = setting(32, "Features of the network's first level.", positive=True)
    kernel_size: int | None = setting(
        None,
        "Side of the network's convolution kernels, pixels, an odd number; by default 3 in 3D "
        "networks.",
        int,
    )
    batch_norm: bool = setting(True, "Use batch normalisation after every convolution.")
    residual: bool = setting(False, "Add the input to the network's output.")
    single_net_per_channel: bool = setting(
        True, "Use a separate network for each channel, not one for all channels."
    )
    last_channel_to_all: bool = setting(
        False,
        "With single_net_per_channel: give every network the last channel, as juglab's n2v 0.3 "
        "does by mistake; for models that were imported.",
    )
    blurpool: bool = setting(False, "Blur the features before they are halved (N2V2).")
    skip_skipone: bool = setting(
        False, "Leave out the skip connection of the network's first level (N2V2)."
    )
    perc_pix: float | None = setting(
        None,
        f"Share of a crop's pixels that are blind spots, per cent; by default {PAPER_SPOTS}, and "
        f"with schedule=fast {FAST_SPOTS}.",
        float,
        positive=True,
    )
    manipulator: str = setting(
        "uniform_withCP",
        "Where the value that replaces a blind spot comes from: "
        f"{', '.join(blind_spots.MANIPULATORS)}.",
    )
    radius: int = setting(
        5,
        "Radius of the neighbourhood from which the manipulator takes values, pixels.",
        positive=True,
    )
    struct_kernel: str | None = setting(
        None,
        "Pixels around a blind spot that are hidden with it (structN2V): horizontal11, vertical7, "
        "1x11, 5x1x1, or rows of 0 and 1 such as 010/111/010. Its sides are odd numbers.",
        str,
    )
    loss: str = setting(
        "mae", "Loss on the blind spots: mae (absolute error) or mse (squared error)."
    )

    def __post_init__(self):
        super().__post_init__()
        expect("loss", self.loss, ("mae", "mse"))
        expect("unet", self.unet, ("juglab", "laine"))
        if self.unet == "laine" and self.spatial == 3:
            raise ValueError("unet='laine': it is for images, not for volumes.")
        expect("manipulator", self.manipulator, tuple(blind_spots.MANIPULATORS))
        if self.dims is not None:
            axis_letters.check_axes(self.dims)
        if self.data_path and self.noise is not None and not self.noise.is_none:
            raise ValueError(
                f"data_path={self.data_path!r} with noise='{self.noise}': your files are noisy "
                "already; leave noise out, or give clean ones as train_set."
            )
        if self.data_path and self.train_set != "sample":
            raise ValueError(
                f"data_path={self.data_path!r} with train_set={self.train_set!r}: give one."
            )
        if not self.data_path and (self.dims or self.file_pattern != "*"):
            raise ValueError("dims and file_pattern are for files of your own: give data_path.")
        if self.spatial == 3 and self.precision == "bfloat16":
            raise ValueError(
                "precision='bfloat16' with volumes: on CPUs TensorFlow's gradients of 3D "
                "convolutions are wrong in bfloat16; use float32."
            )
        if self.noise is not None and self.noise.is_none and not self.data_path:
            raise ValueError("noise='none': give your noisy files as data_path.")
        if self.last_channel_to_all and not self.single_net_per_channel:
            raise ValueError("last_channel_to_all: there is one network for all channels.")
        if self.kernel_size is not None and (self.kernel_size < 1 or self.kernel_size % 2 == 0):
            raise ValueError(f"kernel_size={self.kernel_size}: expected an odd number.")
        for name in ("epochs", "steps_per_epoch"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: expected 1 or more.")
        if self.crop_depth < 0 or self.crop_depth % self.side_multiple:
            raise ValueError(
                f"crop_depth={self.crop_depth}: expected a multiple of {self.side_multiple}."
            )
        if self.dims and "Z" not in self.dims and self.crop_depth:
            raise ValueError(f"crop_depth={self.crop_depth} with dims={self.dims!r}: no Z there.")
        if self.struct is not None and self.struct.ndim > self.spatial:
            raise ValueError(f"struct_kernel={self.struct_kernel!r}: three sides, images have two.")
        share = PAPER_SPOTS if self.perc_pix is None else self.perc_pix
        expected = blind_spots.expected_spots(self.crop_shape, share)
        if share > 100 or expected < MIN_SPOTS:
            raise ValueError(
                f"perc_pix={share}: {expected:.2g} blind spots in a crop of "
                f"{'x'.join(map(str, self.crop_shape))}; expected {MIN_SPOTS} or more, at most "
                "100 per cent."
            )

    @property
    def side_multiple(self):
        """What the sides of a crop must be a multiple of, pixels."""
        return 32 if self.unet == "laine" else 2**self.depth

    @property
    def file_axes(self):
        """Letters of the axes of the training's files, or None for what the files say."""
        return self.dims

    @property
    def keeps_counts(self):
        """Whether values stay as the user's files have them, not scaled to [0, 1]."""
        return bool(self.data_path)

    @property
    def noise_of_crops(self):
        """The noise that is added to each crop: none if the images have theirs already."""
        return self.noise if self.redraw_noise else noises.NoNoise()

    @property
    def spatial(self):
        """Number of sides of an image: 2, or 3 for volumes."""
        return 3 if self.crop_depth or (self.dims and "Z" in self.dims) else 2

    @property
    def crop_shape(self):
        """Sides of a training crop, pixels: (H, W) or (D, H, W)."""
        sides = (self.crop_size, self.crop_size)
        return (self.crop_depth or 16, *sides) if self.spatial == 3 else sides

    @property
    def struct(self):
        """The kernel of structN2V, or None: an array of 0 and 1 with as many axes as a crop."""
        if self.struct_kernel is None:
            return None
        kernel = parse_kernel(self.struct_kernel)
        return kernel[None] if kernel.ndim < self.spatial else kernel

    def own_schedule(self):
        """See Config; the fast schedule was measured on images, without structN2V."""
        return "paper" if self.spatial == 3 or self.struct_kernel else super().own_schedule()

    def label(self):
        """A short name of the training: gauss25, n2v2-gauss25, structn2v-cells.tif, 3d-v.tif."""
        variant = (
            f"structn2v_{self.struct_kernel}"
            if self.struct_kernel
            else "n2v2"
            if self.blurpool
            else ""
        )
        parts = [variant] * bool(variant) + ["3d"] * (self.spatial == 3)
        images = (
            re.sub(r"[^\w.]+", "_", pathlib.Path(self.data_path).name) if self.data_path else ""
        )
        parts.append(images or str(self.noise))
        parts = [re.sub(r"[^\w.]+", "_", part) for part in parts]
        return "-".join(parts + ([f"{self.channels}channels"] if self.channels > 1 else []))

    def completed(self):
        """The configuration without any None: juglab's defaults for these images."""
        own = bool(self.data_path)
        steps = (self.epochs or EPOCHS) * (self.steps_per_epoch or STEPS)
        noise = noises.NoNoise() if own else self.noise or noises.Gauss(25, 25)
        completed = super(Config, dataclasses.replace(self, noise=noise)).completed(
            num_images=steps * self.batch_size,
            learning_rate=4e-4,
            kernel_size=3 if self.spatial == 3 else 5,
            **({"validation_set": self.data_path} if own else {}),
        )
        spots = FAST_SPOTS if completed.schedule == "fast" else PAPER_SPOTS
        return dataclasses.replace(
            completed,
            perc_pix=self.perc_pix or spots,
            # 1.0 leaves the values of the user's files as they are, whatever their type.
            white_level=self.white_level or (1.0 if own else 0.0),
            crop_depth=self.crop_shape[0] if self.spatial == 3 else 0,
        )


def parse_kernel(text):
    """Reads a structN2V kernel: "horizontal11", "vertical7", "1x11", "010/111/010".

    The planes of a 3D kernel are separated by "|": "000/010/000|010/111/010|000/010/000".

    Returns:
        uint8 array of 0 and 1, 2D or 3D.

    Raises:
        ValueError: the text has another form, the rows have different lengths, a side is even, or
            no pixel beside the centre is 1.
    """
    if match := re.fullmatch(r"(horizontal|vertical)(\d+)", text):
        length = int(match[2])
        kernel = np.ones((1, length) if match[1] == "horizontal" else (length, 1), np.uint8)
    elif re.fullmatch(r"\d+x\d+(x\d+)?", text):
        kernel = np.ones([int(n) for n in text.split("x")], np.uint8)
    elif re.fullmatch(r"[01/|]+", text):
        planes = [[list(row) for row in plane.split("/")] for plane in text.split("|")]
        try:
            kernel = np.array(planes, np.uint8)
        except ValueError:
            raise ValueError(f"struct_kernel={text!r}: rows of unequal length.") from None
        kernel = kernel[0] if len(kernel) == 1 else kernel
    else:
        raise ValueError(
            f"struct_kernel={text!r}: expected horizontal11, vertical7, 1x11 or 010/111/010."
        )
    if any(n % 2 == 0 for n in kernel.shape):
        sides = "x".join(map(str, kernel.shape))
        raise ValueError(f"struct_kernel={text!r}: {sides}; its sides must be odd.")
    if not len(blind_spots.struct_offsets(kernel)):
        raise ValueError(f"struct_kernel={text!r}: nothing beside the centre.")
    return kernel


def format_kernel(mask):
    """Writes a kernel as the text that `parse_kernel` reads.

    mask: 2D or 3D array of 0 and 1; or None, which gives None.
    """
    if mask is None:
        return None
    mask = (np.asarray(mask) != 0).astype(int)
    planes = mask if mask.ndim == 3 else mask[None]
    return "|".join("/".join("".join(map(str, row)) for row in plane) for plane in planes)


DEFAULT = "n2v"
N2V2: dict[str, typing.Any] = {"blurpool": True, "skip_skipone": True, "manipulator": "median"}
# Krull et al. 2019, who published 27.71 dB on BSD68, with the settings of juglab's notebook. It
# trains on 3,168 patches of 180x180 pixels and has 27.81 dB, and 27.88 over 8 orientations:
# `evaluate --dataset=bsd68 --unrounded --tta`.
BSD68: dict[str, typing.Any] = {
    "noise": "gauss25",
    "kernel_size": 3,
    "width": 96,
    "batch_size": 128,
    "epochs": 200,
    "perc_pix": 0.198,
    "loss": "mse",
    "radius": 2,
    "redraw_noise": False,
}
# The baseline of COMP6248, in the plain U-Net of its other networks; its noise is clipped
# unless a name ends in _nc.
COMP6248: dict[str, typing.Any] = {
    "unet": "laine",
    "loss": "mse",
    "schedule": "paper",
}
COMP6248_NOISE: dict[str, dict[str, typing.Any]] = {
    "gauss25": {"noise": "gauss25_clipped"},
    "gauss25_nc": {"noise": "gauss25"},
}
NAMED = {
    "n2v": Config(),
    "n2v2": Config(**N2V2),
    "structn2v-horizontal": Config(struct_kernel="horizontal11"),
    "structn2v-vertical": Config(struct_kernel="vertical11"),
    "n2v-3d": Config(crop_depth=16),
    "n2v-bsd68": Config(**BSD68, residual=True),
    "n2v2-bsd68": Config(**BSD68, **N2V2),
} | {
    f"comp6248-n2v-{style}{suffix}": Config(**COMP6248, **noise, channels=channels)
    for style, noise in COMP6248_NOISE.items()
    for suffix, channels in (("", 3), ("-mono", 1))
}

# For the sample photographs: a few minutes on two CPU cores.
SHORT = {
    "epochs": 6,
    "steps_per_epoch": 100,
    "kernel_size": 3,
    "precision": processor.fast_precision(),
}
