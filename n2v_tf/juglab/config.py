"""The configuration of juglab's n2v 0.3, and what it is here."""

import numpy as np

from n2v_tf import configs, masking


class N2VConfig:
    """What a model is, under juglab's names and with its defaults.

    Args:
        X: patches (S, Y, X, C) or (S, Z, Y, X, C), whose number of axes and channels and whose mean
            and deviation are taken; or an empty array, then these are given.
        **kwargs: attributes; those of `DEFAULTS`, and axes, n_dim, n_channel_in, n_channel_out,
            means, stds.

    Raises:
        ValueError: X of another shape, or an attribute that there is not; names it.
    """

    DEFAULTS = {
        "unet_residual": False,
        "unet_n_depth": 2,
        "unet_kern_size": 5,
        "unet_n_first": 32,
        "unet_last_activation": "linear",
        "unet_input_shape": None,
        "train_loss": "mae",
        "train_epochs": 100,
        "train_steps_per_epoch": 400,
        "train_learning_rate": 0.0004,
        "train_batch_size": 16,
        "train_tensorboard": True,
        "train_checkpoint": "weights_best.h5",
        "train_reduce_lr": {"factor": 0.5, "patience": 10},
        "batch_norm": True,
        "n2v_perc_pix": 1.5,
        "n2v_patch_shape": None,
        "n2v_manipulator": "uniform_withCP",
        "n2v_neighborhood_radius": 5,
        "single_net_per_channel": True,
        "blurpool": False,
        "skip_skipone": False,
        "structN2Vmask": None,
        "probabilistic": False,
    }
    OF_THE_DATA = ("means", "stds", "n_dim", "axes", "n_channel_in", "n_channel_out")

    def __init__(self, X=None, **kwargs):
        unknown = sorted(set(kwargs) - set(self.DEFAULTS) - set(self.OF_THE_DATA))
        if unknown:
            raise ValueError(f"N2VConfig: unknown attributes {', '.join(unknown)}.")
        found = {} if X is None or np.size(X) == 0 else self._of_patches(np.asarray(X))
        axes = kwargs.get("axes", found.get("axes", "YXC")).replace("S", "")
        axes = axes if "C" in axes else axes + "C"
        self.n_dim = 3 if "Z" in axes else 2
        vars(self).update(self.DEFAULTS)
        if self.n_dim == 3:
            self.unet_kern_size = 3
        self.n2v_patch_shape = (64,) * self.n_dim
        self.n_channel_in = self.n_channel_out = 1
        self.means, self.stds = [], []
        vars(self).update(found | kwargs)
        self.axes = axes
        sides = (None,) * self.n_dim
        self.unet_input_shape = kwargs.get("unet_input_shape", (*sides, self.n_channel_in))

    @staticmethod
    def _of_patches(patches):
        if patches.ndim not in (4, 5):
            raise ValueError(f"X is {patches.shape}: expected (S, Y, X, C) or (S, Z, Y, X, C).")
        axes = tuple(range(patches.ndim - 1))
        means, stds = patches.mean(axes, np.float64), patches.std(axes, np.float64)
        return {
            "axes": "YXC" if patches.ndim == 4 else "ZYXC",
            "n_channel_in": patches.shape[-1],
            "n_channel_out": patches.shape[-1],
            "means": [str(value) for value in means],
            "stds": [str(value) for value in stds],
        }

    def is_valid(self, return_invalid=False):
        """Whether the attributes make a model; with return_invalid also which don't, a tuple."""
        invalid = tuple(name for name, ok in self._checks() if not ok)
        return (not invalid, invalid) if return_invalid else not invalid

    def _checks(self):
        def whole(value, least=1):
            return isinstance(value, (int, np.integer)) and value >= least

        def number(value):
            return isinstance(value, (int, float)) and value > 0

        multiple = 2**self.unet_n_depth if whole(self.unet_n_depth) else 1
        shape = self.n2v_patch_shape
        yield "n_dim", self.n_dim in (2, 3)
        yield "axes", self.axes in ("YXC", "ZYXC")
        for name in ("n_channel_in", "unet_n_depth", "unet_n_first", "n2v_neighborhood_radius"):
            yield name, whole(getattr(self, name))
        yield "n_channel_out", self.n_channel_out == self.n_channel_in
        yield "unet_kern_size", whole(self.unet_kern_size) and self.unet_kern_size % 2 == 1
        yield "unet_last_activation", self.unet_last_activation == "linear"
        yield "unet_input_shape", tuple(self.unet_input_shape)[-1] == self.n_channel_in
        yield "train_loss", self.train_loss in ("mae", "mse")
        for name in ("train_epochs", "train_steps_per_epoch", "train_batch_size"):
            yield name, whole(getattr(self, name))
        yield "train_learning_rate", number(self.train_learning_rate)
        yield (
            "train_reduce_lr",
            self.train_reduce_lr is None or isinstance(self.train_reduce_lr, dict),
        )
        for name in (
            *("unet_residual", "train_tensorboard", "batch_norm"),
            *("single_net_per_channel", "blurpool", "skip_skipone"),
        ):
            yield name, isinstance(getattr(self, name), bool)
        yield "n2v_perc_pix", number(self.n2v_perc_pix) and self.n2v_perc_pix <= 100
        yield (
            "n2v_patch_shape",
            len(shape) == self.n_dim
            and all(whole(n) and n % multiple == 0 for n in shape)
            and shape[-1] == shape[-2],
        )
        yield "n2v_manipulator", self.n2v_manipulator in masking.MANIPULATORS
        yield (
            "structN2Vmask",
            self.structN2Vmask is None
            or (
                np.ndim(self.structN2Vmask) == self.n_dim
                and all(n % 2 for n in np.shape(self.structN2Vmask))
            ),
        )
        yield "probabilistic", self.probabilistic is False
        yield "means", len(self.means) == self.n_channel_in
        yield "stds", len(self.stds) == self.n_channel_in

    def to_config(self):
        """The same as a `configs.Config`.

        Raises:
            ValueError: names what is not valid.
        """
        valid, invalid = self.is_valid(return_invalid=True)
        if not valid:
            told = ", ".join(f"{name}={getattr(self, name)!r}" for name in invalid)
            raise ValueError(f"N2VConfig is not valid: {told}.")
        shape = self.n2v_patch_shape
        return configs.Config(
            data_path="arrays",
            channels=self.n_channel_in,
            batch_size=self.train_batch_size,
            epochs=self.train_epochs,
            steps_per_epoch=self.train_steps_per_epoch,
            crop_size=shape[-1],
            crop_depth=shape[0] if self.n_dim == 3 else 0,
            augment=False,  # patches come augmented from the generator
            learning_rate=float(self.train_learning_rate),
            depth=self.unet_n_depth,
            width=self.unet_n_first,
            kernel_size=self.unet_kern_size,
            batch_norm=self.batch_norm,
            residual=self.unet_residual,
            single_net_per_channel=self.single_net_per_channel,
            blurpool=self.blurpool,
            skip_skipone=self.skip_skipone,
            perc_pix=float(self.n2v_perc_pix),
            manipulator=self.n2v_manipulator,
            radius=self.n2v_neighborhood_radius,
            struct_kernel=configs.format_kernel(self.structN2Vmask),
            loss=self.train_loss,
        ).completed()
