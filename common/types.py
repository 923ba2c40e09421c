"""What travels between the rooms: dictionaries of a batch, of a denoiser's inputs and results."""

from __future__ import annotations

import typing

import numpy as np

# An array of NumPy or a tensor of the backend.
Array = typing.Any


class _Noisy(typing.TypedDict):
    noisy: Array  # (N, H, W, C) or (N, D, H, W, C) float32, beyond [0, 1] where noise leads there


class Inputs(_Noisy, total=False):
    """What a denoiser restores; `x` of a training batch. Methods add inputs of their own."""

    noise_level: Array  # (N,): sigma on [0, 1], lambda, or a share
    number: Array  # (N,) float32: how many images the training has shown before
    inside: Array  # training with `edges`, (N, H, W, 1): 0 where the picture is made to end
    density: Array  # n2n_tf.mri, (N, H, W, 1): share with which a frequency is kept, 0 if it isn't


class _Target(typing.TypedDict):
    target: Array  # (N, H, W, C), what the result is compared with


class Targets(_Target, total=False):
    """`y` of a training batch."""

    clean: Array  # (N, H, W, C), for PSNR; absent where nobody knows it
    weight: Array  # dbsn_tf.distill, (N, 1, 1, 1): how much the crop counts
    kept: Array  # (N, H, W, 1 or C): 1 where the loss looks, 0 elsewhere
    target_density: Array  # n2n_tf.mri, (N, H, W, 1): as `density`, of the target


class _Denoised(typing.TypedDict):
    denoised: Array  # (N, H, W, C)


class Result(_Denoised, total=False):
    """What a denoiser gives. All deviations are on the scale of the images."""

    mean: Array  # (N, H, W, C): the blind-spot network's, which has not seen the pixel itself
    std: Array  # (N, H, W, C): standard deviation of the error of `denoised`, predicted
    mean_std: Array  # (N, H, W, 1): that of `mean`
    noise_std: Array  # (N, 1 or H, 1 or W, 1): of the noise, given or estimated
    loss: Array  # (N, H, W), in training only


# Name, clean image or None where nobody knows it, inputs without the axis N.
Example = tuple[str, np.ndarray | None, dict[str, typing.Any]]
