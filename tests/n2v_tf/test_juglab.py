"""n2v_tf.juglab: a notebook for n2v 0.3, a model folder from Keras 2, and what is refused."""

import gc
import importlib.util
import json
import pathlib
import shutil
import warnings
import zipfile

import h5py
import numpy as np
import pytest
import tifffile

from common.files.errors import ImageError
from n2v_tf import N2V, N2V_DataGenerator, N2VConfig, data
from n2v_tf.juglab import keras2, n2v_utils
from scripts.check import golden_files

RNG = np.random.default_rng(0)
# Written by Keras 2.15 from the weights of the golden file's `predict_yxc`, in a session that had
# made seven batch normalisations before: they are counted from 7 in it.
MODEL = pathlib.Path(__file__).parent / "juglab_model"
QUICK = {
    "unet_kern_size": 3,
    "unet_n_first": 4,
    "train_steps_per_epoch": 3,
    "train_epochs": 2,
    "train_batch_size": 4,
    "n2v_patch_shape": (32, 32),
}


def patches(count=6, channels=1):
    return RNG.normal(300, 40, (count, 40, 40, channels)).astype(np.float32)


def test_a_model_folder_of_keras_2_predicts_the_golden_images():
    arrays, _ = golden_files.load("n2v_unet_2d_multichannel_single_net")
    case = {k.split("/")[1]: v for k, v in arrays.items() if k.startswith("predict_yxc/")}
    model = N2V(None, MODEL.name, basedir=MODEL.parent)
    tolerance = 1e-5 * np.ptp(case["output_plain"])
    for name, settings in (
        ("plain", {}),
        ("tiled", {"n_tiles": (2, 2, 1)}),
        ("tta", {"tta": True}),
    ):
        result = model.predict(case["input"], axes="YXC", **settings)
        np.testing.assert_allclose(result, case[f"output_{name}"], atol=tolerance)


def test_numbers_of_numpy_and_later_changes_make_a_config_too():
    config = N2VConfig(patches(), unet_n_depth=np.int64(1), train_learning_rate=np.float32(1e-3))
    assert config.is_valid()
    config.update_parameters(unet_n_first=4)
    assert "unet_n_first=4" in repr(config)
    assert N2V(config, basedir=None).keras_model.count_params() < 10**4
    with pytest.raises(ValueError, match="unknown attributes colour"):
        config.update_parameters(colour=1)


def test_kernels_of_blurred_poolings_in_a_file_are_no_weights_here(tmp_path):
    settings = QUICK | {"blurpool": True, "skip_skipone": True}
    model = N2V(N2VConfig(patches(), **settings), basedir=None)
    path = tmp_path / "w.h5"
    keras2.save_weights(model.keras_model, path)
    before = model.keras_model.get_weights()
    for variable in model.keras_model.weights:
        variable.assign(np.zeros(variable.shape))
    with h5py.File(path, "a") as file:
        file["channel_0max_0/channel_0max_0/kernel:0"] = np.ones((3, 3, 4, 1), np.float32)
        file["channel_0max_0"].attrs["weight_names"] = [b"channel_0max_0/kernel:0"]
        names = [str(name).encode() for name in file.attrs["layer_names"].astype(str)]
        file.attrs["layer_names"] = [*names, b"channel_0max_0"]
    keras2.load_weights(model.keras_model, path)
    for a, b in zip(before, model.keras_model.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_a_notebook_runs(tmp_path):
    tifffile.imwrite(tmp_path / "b.tif", RNG.integers(0, 999, (64, 96)).astype(np.uint16))
    tifffile.imwrite(tmp_path / "a.tif", RNG.integers(0, 999, (64, 64)).astype(np.uint16))
    datagen = N2V_DataGenerator()
    imgs = datagen.load_imgs_from_directory(directory=str(tmp_path), dims="YX")
    assert [i.shape for i in imgs] == [(1, 64, 64, 1), (1, 64, 96, 1)]
    X = datagen.generate_patches_from_list(imgs, shape=(32, 32))
    assert X.shape == ((4 + 6) * 8, 32, 32, 1)
    config = N2VConfig(X[8:], **QUICK, train_loss="mse", n2v_perc_pix=1.6)
    assert config.is_valid()
    assert vars(config)["train_learning_rate"] == 0.0004
    np.testing.assert_allclose(float(config.means[0]), X[8:].mean(), rtol=1e-6)
    model = N2V(config, "model", basedir=str(tmp_path))
    model.prepare_for_training(metrics=())
    history = model.train(X[8:], X[:8])
    assert len(history.history["loss"]) == len(history.history["val_loss"]) == 2
    assert {"n2v_mse", "n2v_abs", "val_n2v_mse", "lr"} <= set(history.history)
    # mse is the loss: the figure beside it is the same but for the mean over batches.
    np.testing.assert_allclose(history.history["n2v_mse"], history.history["loss"], rtol=0.05)
    names = {p.name for p in (tmp_path / "model").iterdir()}
    assert {"config.json", "weights_best.h5", "weights_last.h5", "logs"} <= names
    pred = model.predict(imgs[0][0, ..., 0], axes="YX", n_tiles=(2, 1))
    assert pred.shape == (64, 64) and pred.dtype == np.float32
    again = N2V(config=None, name="model", basedir=str(tmp_path))
    # Not to the last bit: a transposed convolution may add in another order for another size.
    whole = again.predict(imgs[0][0, ..., 0], axes="YX")
    np.testing.assert_allclose(whole, pred, rtol=1e-6, atol=1e-6 * np.ptp(pred))
    assert vars(again.config)["n2v_perc_pix"] == 1.6
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the zoo's library leaves files open
        assert (model.export_TF() / "saved_model.pb").is_file()
        gc.collect()
    if importlib.util.find_spec("bioimageio"):
        assert zipfile.is_zipfile(tmp_path / "model" / "export.bioimage.io.zip")


def test_best_weights_are_those_of_the_lowest_validation_loss(tmp_path):
    X = patches()
    model = N2V(N2VConfig(X, **QUICK | {"train_epochs": 4}), "m", basedir=tmp_path)
    losses = model.train(X, X[:2]).history["val_loss"]
    best = [np.array(w) for w in model.keras_model.get_weights()]
    model.load_weights("weights_last.h5")
    last = model.keras_model.get_weights()
    same = all(np.array_equal(a, b) for a, b in zip(best, last))
    assert same == (int(np.argmin(losses)) == 3)


def test_the_rate_falls_when_the_loss_does_not():
    X = patches()
    config = N2VConfig(
        X,
        **QUICK | {"train_epochs": 6, "train_learning_rate": 1e-12},
        train_reduce_lr={"factor": 0.5, "patience": 1, "min_delta": 1.0},
    )
    rates = N2V(config, basedir=None).train(X, X).history["learning_rate"]
    assert rates[-1] < rates[0]


def test_networks_of_several_channels_can_make_the_originals_mistake(tmp_path, caplog):
    """Every channel is restored from the last one, standardised, by its own network."""
    X = RNG.random((4, 32, 32, 3)).astype(np.float32) * [1, 10, 100]
    N2V(N2VConfig(X, **QUICK), "m", basedir=tmp_path).train(X, X)
    model = N2V(None, "m", basedir=tmp_path)
    assert "all of them see the last channel" in caplog.text
    own = model.predict(X[0], "YXC")
    model.give_all_the_last_channel()
    wrong = model.predict(X[0], "YXC")
    mean, std = (np.array(values, float) for values in (model.config.means, model.config.stds))
    last = (X[0][..., -1:] - mean[-1]) / std[-1] * std + mean
    np.testing.assert_allclose(
        wrong, N2V(None, "m", basedir=tmp_path).predict(last, "YXC"), rtol=1e-4, atol=1e-3
    )
    np.testing.assert_allclose(wrong[..., -1], own[..., -1], rtol=1e-4, atol=1e-3)
    assert np.abs(wrong[..., 0] - own[..., 0]).max() > 0.1
    grey = N2V(N2VConfig(patches(), **QUICK), basedir=None)
    assert grey.denoiser.config.channels == 1


def test_stacks_are_predicted_page_by_page_and_axes_come_back_as_they_were():
    X = patches()
    model = N2V(N2VConfig(X, **QUICK), basedir=None)
    stack = RNG.normal(300, 40, (3, 21, 34))
    pages = model.predict(stack, "TYX")
    one = model.predict(stack[1], "YX")
    np.testing.assert_allclose(pages[1], one, rtol=1e-6)
    turned = model.predict(stack.transpose(2, 0, 1), "XTY")
    np.testing.assert_allclose(turned.transpose(1, 2, 0), pages, rtol=1e-5)
    assert model.predict(stack[1][..., None], "YXC").shape == (21, 34, 1)


def test_a_3d_config_from_volumes():
    X = RNG.normal(0, 1, (3, 16, 32, 32, 1)).astype(np.float32)
    config = N2VConfig(X, **QUICK | {"n2v_patch_shape": (16, 32, 32)}, n2v_perc_pix=3.0)
    assert (config.axes, config.n_dim, N2VConfig(X).unet_kern_size) == ("ZYXC", 3, 3)
    model = N2V(config, basedir=None)
    model.train(X, X[:1], epochs=1, steps_per_epoch=1)
    assert model.predict(X[0, ..., 0], "ZYX").shape == (16, 32, 32)


@pytest.mark.parametrize(
    ("settings", "invalid"),
    [
        ({"unet_n_depth": 0}, "unet_n_depth"),
        ({"train_loss": "laplace"}, "train_loss"),
        ({"n2v_patch_shape": (33, 33)}, "n2v_patch_shape"),
        ({"n2v_manipulator": "mode"}, "n2v_manipulator"),
        ({"batch_norm": 1}, "batch_norm"),
        ({"structN2Vmask": [[1, 1]]}, "structN2Vmask"),
        ({"unet_last_activation": "relu"}, "unet_last_activation"),
        ({"probabilistic": True}, "probabilistic"),
        ({"n2v_perc_pix": 0.01}, "n2v_perc_pix"),
        ({"train_reduce_lr": {"factr": 1}}, "train_reduce_lr"),
        ({"stds": ["0.0"]}, "stds"),
        ({"unet_input_shape": None}, "unet_input_shape"),
    ],
)
def test_what_makes_no_model_is_named(settings, invalid):
    config = N2VConfig(patches(), **settings)
    assert config.is_valid(return_invalid=True) == (False, (invalid,))
    with pytest.raises(ValueError, match=f"not valid: {invalid}="):
        N2V(config, basedir=None)


def test_bad_folders_files_and_arrays_are_named(tmp_path):
    with pytest.raises(ValueError, match="unknown attributes unet_width"):
        N2VConfig(patches(), unet_width=4)
    with pytest.raises(ValueError, match=r"no_model/config.json: no such file"):
        N2V(None, "no_model", basedir=tmp_path)
    copy = tmp_path / "m"
    shutil.copytree(MODEL, copy)
    content = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(content | {"colour": 1}))
    with pytest.raises(ValueError, match=r"config.json: N2VConfig: unknown attributes colour"):
        N2V(None, "m", basedir=tmp_path)
    (copy / "config.json").write_text(json.dumps(content | {"unet_n_depth": 3}))
    with pytest.raises(ValueError, match="weights of another network"):
        N2V(None, "m", basedir=tmp_path)
    (copy / "config.json").write_text(json.dumps(content))
    (copy / "weights_best.h5").write_bytes(b"damaged")
    with pytest.raises(ValueError, match=r"weights_best.h5: not a weight file"):
        N2V(None, "m", basedir=tmp_path)
    model = N2V(N2VConfig(patches(), **QUICK), basedir=None)
    with pytest.raises(ValueError, match="has no folder"):
        model.load_weights()
    for call, message in (
        (lambda: model.predict(np.zeros((4, 4)), "YXC"), "img has 2, its shape is"),
        (lambda: model.predict(np.zeros((4, 4)), "ZX"), "expected Y and X"),
        (lambda: model.predict(np.zeros((4, 4, 3)), "YXC"), "img: 3 channels, this model is for 1"),
        (lambda: model.predict(np.zeros((4, 4)), "YX", n_tiles=(1, 1, 1)), "expected 2 numbers"),
        (lambda: model.train(patches(2, 3), patches(2)), "the config has axes SYXC and 1"),
        (lambda: model.train(np.zeros((2, 16, 16, 1)), patches(2)), "larger than every image"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_weight_files_come_back(tmp_path):
    X = patches()
    for blurpool in (False, True):
        model = N2V(N2VConfig(X, **QUICK, blurpool=blurpool, skip_skipone=blurpool), basedir=None)
        keras2.save_weights(model.keras_model, tmp_path / "w.h5")
        before = [np.array(w) for w in model.keras_model.get_weights()]
        for variable in model.keras_model.weights:
            variable.assign(np.zeros(variable.shape))
        keras2.load_weights(model.keras_model, tmp_path / "w.h5")
        for a, b in zip(before, model.keras_model.get_weights()):
            np.testing.assert_array_equal(a, b)


def test_the_generator_reads_axes_and_cuts_patches(tmp_path):
    stack = RNG.integers(0, 99, (5, 40, 48, 2)).astype(np.uint8)
    np.save(tmp_path / "s.npy", stack)
    datagen = N2V_DataGenerator()
    (loaded,) = datagen.load_imgs([tmp_path / "s.npy"], dims="TYXC")
    np.testing.assert_array_equal(loaded, stack)
    (volume,) = datagen.load_imgs([tmp_path / "s.npy"], dims="ZYXC")
    assert volume.shape == (1, 5, 40, 48, 2)
    grid = datagen.generate_patches(loaded, shape=(16, 16), augment=False)
    assert grid.shape == (5 * 2 * 3, 16, 16, 2)
    np.testing.assert_array_equal(grid[1], stack[0, :16, 16:32])
    some = datagen.generate_patches(loaded, num_patches=3, shape=(16, 16))
    assert some.shape == (5 * 3 * 8, 16, 16, 2)
    assert len({p.tobytes() for p in some}) == 5 * 3 * 8
    assert datagen.generate_patches(volume, shape=(4, 16, 16)).shape == (6 * 8, 4, 16, 16, 2)
    for call, message in (
        (lambda: datagen.generate_patches(loaded, shape=(64, 64)), r"at most \(40, 48\)"),
        (lambda: datagen.generate_patches(loaded, shape=(16, 32)), "augment=True turns patches"),
        (lambda: datagen.load_imgs([tmp_path / "s.npy"], dims="YX"), "4 axes; dims=YX names 2"),
        (lambda: datagen.load_imgs_from_directory(tmp_path, "*.png"), "no file matches"),
    ):
        with pytest.raises((ValueError, ImageError), match=message):
            call()


def test_pngs_come_as_matplotlib_reads_them_or_as_a_reader_of_ones_own(tmp_path):
    import matplotlib.image
    from PIL import Image

    stored = RNG.integers(0, 256, (12, 10, 3), np.uint8)
    Image.fromarray(stored).save(tmp_path / "a.png")
    Image.fromarray(RNG.integers(0, 65536, (12, 10), np.uint16)).save(tmp_path / "deep.png")
    datagen = N2V_DataGenerator()
    for name, dims in (("a.png", "YXC"), ("deep.png", "YX")):
        (ours,) = datagen.load_imgs([tmp_path / name], dims)
        theirs = matplotlib.image.imread(tmp_path / name)
        np.testing.assert_allclose(ours.reshape(theirs.shape), theirs, rtol=1e-6)
    (own,) = datagen.load_imgs_from_directory(
        tmp_path, "a.png", "YXC", image_reader=lambda path: np.asarray(Image.open(path)) // 2
    )
    np.testing.assert_array_equal(own[0], stored // 2)
    with pytest.raises(ValueError, match="deep.png: shape .* 2 axes; dims=YXC"):
        datagen.load_imgs([tmp_path / "deep.png"], "YXC", image_reader=lambda path: stored[..., 0])


def test_validation_data_are_hidden_in_place_without_the_structure_around():
    X = RNG.standard_normal((2, 32, 40, 2)).astype(np.float32)
    before, Y = X.copy(), np.full((2, 32, 40, 4), 7.0, np.float32)
    np.random.seed(1)
    n2v_utils.manipulate_val_data(X, Y, perc_pix=2.0, shape=(32, 32))
    again, other = before.copy(), before.copy()
    np.random.seed(1)
    n2v_utils.manipulate_val_data(again, Y.copy(), 2.0, (32, 32), n2v_utils.pm_uniform_withCP(5))
    np.testing.assert_array_equal(again, X)
    n2v_utils.manipulate_val_data(other, Y.copy(), 2.0, (32, 32), n2v_utils.pm_median(2))
    assert not np.array_equal(other, X)
    values, mask = Y[..., :2], Y[..., 2:]
    assert set(np.unique(mask)) == {0.0, 1.0}
    np.testing.assert_array_equal(mask[..., 0], mask[..., 1])  # all channels the same spots
    assert 0.01 < mask.mean() < 0.03
    np.testing.assert_array_equal(values, before * mask)
    changed = np.not_equal(X, before)
    assert changed[mask == 1].mean() > 0.9 and not changed[mask == 0].any()
    with pytest.raises(ValueError, match="twice the channels"):
        n2v_utils.manipulate_val_data(X, Y[..., :3])
    config = N2VConfig(
        X, **QUICK | {"n2v_patch_shape": (32, 32)}, structN2Vmask=np.ones((1, 5))
    ).to_config()
    x, y = data.hidden_once(before, np.zeros(2, "f4"), np.ones(2, "f4"), config)
    assert not (x["noisy"] != before)[y["kept"] == 0].any()
