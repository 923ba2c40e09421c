"""The configuration class of juglab's n2v 0.3, and its translation to `configs.Config`."""

import numpy as np

from n2v_tf import blind_spots, configs


class N2VConfig:
    """The settings of a model, with juglab's names and defaults.

    Args:
        X: training patches (S, Y, X, C) or (S, Z, Y, X, C); axes, number of channels, means and
            standard deviations are taken from them. With None or an empty array, pass these as
            keyword arguments.
        **kwargs: attributes: those of `DEFAULTS`, and axes, n_dim, n_channel_in, n_channel_out,
            means, stds.

    Raises:
        ValueError: X has another shape, or an attribute is unknown; the message names it.
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
        measured = {} if X is None or np.size(X) == 0 else self._of_patches(np.asarray(X))
        axes = kwargs.get("axes", measured.get("axes", "YXC")).replace("S", "")
        axes = axes if "C" in axes else axes + "C"
        self.n_dim = 3 if "Z" in axes else 2
        vars(self).update(self.DEFAULTS)
        if self.n_dim == 3:
            self.unet_kern_size = 3
        self.n2v_patch_shape = (64,) * self.n_dim
        self.n_channel_in = self.n_channel_out = 1
        self.means, self.stds = [], []
        vars(self).update(measured | kwargs)
        self.axes = axes
        sides = (None,) * self.n_dim
        self.unet_input_shape = kwargs.get("unet_input_shape", (*sides, self.n_channel_in))

    @staticmethod
    def _of_patches(patches):
        """The attributes that training patches determine."""
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

    def __repr__(self):
        return f"N2VConfig({', '.join(f'{k}={v!r}' for k, v in sorted(vars(self).items()))})"

    def update_parameters(self, allow_new=True, **kwargs):
        """Sets attributes. Raises ValueError for an unknown one; allow_new is ignored."""
        if unknown := sorted(set(kwargs) - set(vars(self))):
            raise ValueError(f"N2VConfig: unknown attributes {', '.join(unknown)}.")
        vars(self).update(kwargs)

    def is_valid(self, return_invalid=False):
        """Whether all attributes are valid.

        Returns:
            bool; with return_invalid (bool, tuple of the names of invalid attributes).
        """
        invalid = tuple(name for name in vars(self) if not self._is_valid(name))
        return (not invalid, invalid) if return_invalid else not invalid

    def _is_valid(self, name):
        try:
            return bool(CHECKS[name](getattr(self, name), self)) if name in CHECKS else True
        except (TypeError, ValueError, IndexError):
            return False

    def to_config(self):
        """The same settings as a completed `configs.Config`.

        Raises:
            ValueError: attributes are not valid; the message names them.
        """
        valid, invalid = self.is_valid(return_invalid=True)
        if not valid:
            settings = ", ".join(f"{name}={getattr(self, name)!r}" for name in invalid)
            raise ValueError(f"N2VConfig is not valid: {settings}.")
        shape = self.n2v_patch_shape
        return configs.Config(
            data_path="arrays",
            schedule="paper",
            channels=self.n_channel_in,
            batch_size=int(self.train_batch_size),
            epochs=int(self.train_epochs),
            steps_per_epoch=int(self.train_steps_per_epoch),
            crop_size=int(shape[-1]),
            crop_depth=int(shape[0]) if self.n_dim == 3 else 0,
            augment=False,  # patches come augmented from the generator
            learning_rate=float(self.train_learning_rate),
            depth=int(self.unet_n_depth),
            width=int(self.unet_n_first),
            kernel_size=int(self.unet_kern_size),
            batch_norm=self.batch_norm,
            residual=self.unet_residual,
            single_net_per_channel=self.single_net_per_channel,
            blurpool=self.blurpool,
            skip_skipone=self.skip_skipone,
            perc_pix=float(self.n2v_perc_pix),
            manipulator=self.n2v_manipulator,
            radius=int(self.n2v_neighborhood_radius),
            struct_kernel=configs.format_kernel(self.structN2Vmask),
            loss=self.train_loss,
        ).completed()


def _whole(value, config):
    return isinstance(value, (int, np.integer)) and value >= 1


def _yes_or_no(value, config):
    return isinstance(value, (bool, np.bool_))


def _patch_shape(value, config):
    fits = all(_whole(n, config) and n % 2**config.unet_n_depth == 0 for n in value)
    # Y and X must be equal, because crops are square here.
    return fits and len(value) == config.n_dim and value[-1] == value[-2]


def _struct_mask(value, config):
    odd = all(n % 2 for n in np.shape(value))
    return value is None or (np.ndim(value) == config.n_dim and odd and np.sum(value) > 1)


def _reduce_lr(value, config):
    return value is None or {"factor", "patience"} <= set(value)


def _figures(value, config):
    return len(value) == config.n_channel_in and np.isfinite([float(v) for v in value]).all()


# Name of an attribute -> function of (its value, the N2VConfig) that says whether it is valid.
CHECKS = (
    {
        "n_dim": lambda value, config: value in (2, 3),
        "axes": lambda value, config: value == ("YXC" if config.n_dim == 2 else "ZYXC"),
        "n_channel_out": lambda value, config: value == config.n_channel_in,
        "unet_kern_size": lambda value, config: _whole(value, config) and value % 2 == 1,
        "unet_last_activation": lambda value, config: value == "linear",
        "unet_input_shape": lambda value, config: tuple(value)[-1] == config.n_channel_in,
        "train_loss": lambda value, config: value in ("mae", "mse"),
        "train_learning_rate": lambda value, config: 0 < float(value) < np.inf,
        "train_reduce_lr": _reduce_lr,
        "n2v_perc_pix": lambda value, config: (
            0 < float(value) <= 100
            and blind_spots.expected_spots(config.n2v_patch_shape, float(value))
            >= configs.MIN_SPOTS
        ),
        "n2v_patch_shape": _patch_shape,
        "n2v_manipulator": lambda value, config: value in blind_spots.MANIPULATORS,
        "structN2Vmask": _struct_mask,
        "probabilistic": lambda value, config: value is False,
        "means": _figures,
        "stds": lambda value, config: _figures(value, config) and min(float(v) for v in value) > 0,
    }
    | dict.fromkeys(
        (
            *("n_channel_in", "unet_n_depth", "unet_n_first", "n2v_neighborhood_radius"),
            *("train_epochs", "train_steps_per_epoch", "train_batch_size"),
        ),
        _whole,
    )
    | dict.fromkeys(
        (
            *("unet_residual", "train_tensorboard", "batch_norm"),
            *("single_net_per_channel", "blurpool", "skip_skipone"),
        ),
        _yes_or_no,
    )
)
