"""The class N2V of juglab's n2v 0.3: a model that trains, predicts, and is stored in a folder.

Model folders have juglab's layout: config.json, weights_best.h5, weights_last.h5, logs/. The
predictions are those of the original: tests/golden/n2v_unet_*.npz, `predict_*`.
"""

import dataclasses
import datetime
import importlib.util
import json
import logging
import pathlib
import tempfile

import keras
import numpy as np

from common.data import pipeline
from common.files import atomic, axis_letters, stacks
from common.networks import normalization
from common.restoring import prediction
from common.serving import bioimage, saved_models
from n2v_tf import data, denoiser
from n2v_tf.juglab import keras2
from n2v_tf.juglab.config import N2VConfig

FAULT = (
    "has a network for each channel. In juglab's n2v 0.3 under TensorFlow 2 all of them see the "
    "last channel, in training and in use; here each sees its own. give_all_the_last_channel(), or "
    "`noise2x import --as_original`, restores as that program does with this model."
)
SETTLING = 8  # batches, for the statistics of batch normalisation


class _Model(denoiser.Denoiser):
    """A Denoiser that also logs the two metrics of juglab, n2v_mse and n2v_abs."""

    def __init__(self, config):
        super().__init__(config)
        self.errors = [keras.metrics.Mean(name=name) for name in ("n2v_mse", "n2v_abs")]

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        error = keras.ops.abs(y_pred["denoised"] - y["target"]) / self.std
        kept = keras.ops.broadcast_to(y["kept"], keras.ops.shape(error))
        for metric, values in zip(self.errors, (keras.ops.square(error), error)):
            metric.update_state(values, sample_weight=kept)
        return super().compute_metrics(x, y, y_pred, sample_weight)


class N2V:
    """A model that is stored in the folder `<basedir>/<name>/`.

    Args:
        config: N2VConfig of a new model, or None to load the model in the folder.
        name: name of the folder; None for the current date and time.
        basedir: folder of the model folder; None to store nothing on disk.

    Raises:
        ValueError: the config is not valid, or the folder holds no model or a damaged one.
    """

    def __init__(self, config, name=None, basedir="."):
        self.name = name or datetime.datetime.now().strftime("%Y-%m-%d-%H-%M-%S")
        self.basedir = pathlib.Path(basedir) if basedir is not None else None
        self.logdir = self.basedir / self.name if self.basedir is not None else None
        if config is None:
            if self.logdir is None:
                raise ValueError("N2V: without a config a basedir is needed to load from.")
            self.config = self._load_config()
        else:
            self.config = config
        self._denoiser = _Model(self.config.to_config())
        self._denoiser.mean.assign(np.array(self.config.means, np.float32))
        self._denoiser.std.assign(np.array(self.config.stds, np.float32))
        self._steps = 0  # steps of all calls of `train`, so that each call shows other crops
        if config is None:
            self._load_newest()
            if self._denoiser.config.channels > 1 and self._denoiser.config.single_net_per_channel:
                logging.warning("%s: %s", self.logdir, FAULT)
        elif self.logdir is not None:
            if self.logdir.exists():
                logging.warning("%s: there is a model already; it is written over.", self.logdir)
            self._save_config()

    @property
    def denoiser(self):
        """The model as a Denoiser of this project, for images that are not standardised."""
        return self._denoiser

    @property
    def keras_model(self):
        """The network, for standardised images whose sides are multiples of 2^depth."""
        return self._denoiser.network

    def _save_config(self):
        settings = {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in vars(self.config).items()
        }
        with atomic.replacing(self.logdir / "config.json") as temporary:
            temporary.write_text(json.dumps(settings, indent=1, default=int))

    def _load_config(self):
        path = self.logdir / "config.json"
        try:
            return N2VConfig(None, **json.loads(path.read_text()))
        except FileNotFoundError:
            raise ValueError(f"{path}: no such file, so no model to load.") from None
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path}: {error}") from error

    def give_all_the_last_channel(self):
        """Makes the model restore as the original restores with it; see `FAULT`.

        Raises:
            ValueError: the model has one network for all channels.
        """
        config = dataclasses.replace(self._denoiser.config, last_channel_to_all=True)
        model = _Model(config)
        model.set_weights(self._denoiser.get_weights())
        self._denoiser = model

    def _load_newest(self):
        paths = sorted(self.logdir.glob("*.h5"), key=lambda path: path.stat().st_mtime)
        best = self.logdir / "weights_best.h5"
        if not paths:
            raise ValueError(f"{self.logdir}: no weights (*.h5) there.")
        self.load_weights(best.name if best in paths else paths[-1].name)

    def load_weights(self, name="weights_best.h5"):
        """Loads a weight file in the model folder, written by this package or by juglab's.

        Raises:
            ValueError: there is no folder or no such file, or it belongs to another network.
        """
        self._require_folder()
        keras2.load_weights(self.keras_model, self.logdir / name)

    def train(self, X, validation_X, epochs=None, steps_per_epoch=None):
        """Trains on patches, validates after every epoch, and keeps the best weights.

        The learning rate is reduced when the validation loss stops falling (train_reduce_lr).

        Args:
            X, validation_X: patches to train on and to validate on, (S, Y, X, C) or
                (S, Z, Y, X, C), as the config's axes say.
            epochs, steps_per_epoch: replace those of the config.

        Returns:
            keras.callbacks.History; its `history` has loss, val_loss, n2v_mse, n2v_abs and lr.

        Raises:
            ValueError: the arrays don't have the axes and channels of the config, are smaller than
                its patches, or the validation loss is NaN.
        """
        config = self._denoiser.config
        for name, array in (("X", X), ("validation_X", validation_X)):
            if array.ndim != config.spatial + 2 or array.shape[-1] != config.channels:
                raise ValueError(
                    f"{name} is {array.shape}; the config has axes S{self.config.axes} and "
                    f"{config.channels} channels."
                )
        mean, std = np.asarray(self._denoiser.mean), np.asarray(self._denoiser.std)
        names = [str(i) for i in range(len(X))]
        patches = data.TrainingSet("X", [np.float32(x) for x in X], names, mean, std)
        patches = pipeline.usable_for_crops(patches, config)
        steps = steps_per_epoch or config.steps_per_epoch
        self._denoiser.compile(
            keras.optimizers.Adam(config.learning_rate), jit_compile=self._denoiser.jit_compile
        )
        epochs = epochs or config.epochs
        start, self._steps = self._steps, self._steps + epochs * steps
        batches = data.training_batches(patches, config, start)
        history = self._denoiser.fit(
            batches,
            steps_per_epoch=steps,
            epochs=epochs,
            validation_data=data.hidden_once(validation_X, mean, std, config),
            validation_batch_size=config.batch_size,
            callbacks=[_Settle(batches), *self._callbacks()],
            shuffle=False,
            verbose=2,
        )
        history.history["lr"] = history.history["learning_rate"]  # as Keras 2 called it
        if np.isnan(history.history["val_loss"]).all():
            raise ValueError("The validation loss is NaN; the training went wrong.")
        if self.logdir is not None:
            keras2.save_weights(self.keras_model, self.logdir / "weights_last.h5")
            if self.config.train_checkpoint:
                self.load_weights(self.config.train_checkpoint)
        return history

    def prepare_for_training(self, optimizer=None, **kwargs):
        """Does nothing, because `train` prepares itself; it exists for notebooks that call it."""

    def _callbacks(self):
        callbacks = []
        if self.config.train_reduce_lr is not None:
            settings = {"monitor": "val_loss", "verbose": 0} | self.config.train_reduce_lr
            callbacks.append(keras.callbacks.ReduceLROnPlateau(**settings))
        if self.logdir is not None:
            if self.config.train_checkpoint:
                path = self.logdir / self.config.train_checkpoint
                callbacks.append(_KeepBest(self.keras_model, path))
            if self.config.train_tensorboard:
                callbacks.append(
                    keras.callbacks.TensorBoard(self.logdir / "logs", write_graph=False)
                )
        return callbacks

    def predict(self, img, axes, resizer=None, n_tiles=None, tta=False):
        """Restores an image, a volume, or every page of a stack.

        Args:
            img: array of any numeric type, on the scale of the training patches.
            axes: letters of the axes of img: YX, YXC, ZYX, TYX, ...
            resizer: not used; images may have any size.
            n_tiles: for each axis, the number of parts into which the image is cut to save memory;
                the result does not depend on it.
            tta: whether to average over the 8 ways to turn and mirror the first two axes of an
                image.

        Returns:
            float32 array with the axes of img.

        Raises:
            ValueError: axes don't fit img or the model, or img has another number of channels.
        """
        img, config = np.asarray(img), self._denoiser.config
        axis_letters.check_axes(axes)
        if len(axes) != img.ndim:
            raise ValueError(f"axes={axes!r}: img has {img.ndim}, its shape is {img.shape}.")
        if n_tiles is not None and len(n_tiles) != img.ndim:
            raise ValueError(
                f"n_tiles={n_tiles!r}: expected {img.ndim} numbers, one for each axis."
            )
        stack = stacks.Stack("img", img.astype(np.float32), axes, {}, named=True)
        items = stack.items(config.spatial, config.channels)
        parts = dict(zip(axes, n_tiles or [1] * img.ndim))
        sides = zip("ZYX"[-config.spatial :], items.shape[1:])
        pixels = int(np.prod([-(-side // parts[axis]) for axis, side in sides]))
        return stack.like(np.stack([self._restore(item, pixels, tta) for item in items]))

    def _restore(self, noisy, max_pixels, tta):
        inputs = {"noisy": noisy}
        if tta:
            result = prediction.restore_augmented(
                self._denoiser, inputs, max_pixels=max_pixels, axes=(0, 1)
            )
        else:
            result = prediction.restore(self._denoiser, inputs, max_pixels=max_pixels)
        return result["denoised"]

    def export_TF(self, name="model", *unused, fname=None, **more):
        """Writes a zip for the BioImage Model Zoo, as the original does, and a SavedModel.

        The original's other arguments, description, authors, test image and axes, are ignored: the
        zip describes itself.

        Args:
            name: ignored too.
            fname: path of the zip, or of a folder for the SavedModel alone; by default
                `<folder>/export.bioimage.io.zip`, where the extra `bioimageio` is installed, and
                `<folder>/export`.

        Returns:
            path of the zip if `fname` is one, else of the SavedModel; see `saved_models.export`.

        Raises:
            ValueError: a zip is asked for, and the extra is not installed.
        """
        if fname is None:
            self._require_folder()
            if importlib.util.find_spec("bioimageio") is not None:
                self._export_zip(self.logdir / "export.bioimage.io.zip")
            return saved_models.export(self._denoiser, self.logdir / "export", name="n2v")
        if pathlib.Path(fname).suffix == ".zip":
            return self._export_zip(pathlib.Path(fname))
        return saved_models.export(self._denoiser, fname, name="n2v")

    def _export_zip(self, path):
        from n2v_tf.method import METHOD

        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            written = bioimage.export(self._denoiser, folder, name="n2v_tf", paper=METHOD.paper)
            written.replace(path)
        return path

    def _require_folder(self):
        if self.logdir is None:
            raise ValueError("N2V: this model has no folder, basedir is None.")


class _Settle(keras.callbacks.Callback):
    """Gives batch normalisation the statistics of the weights, before those are kept.

    The original keeps running averages, which in short trainings are still those of the start.
    """

    def __init__(self, batches):
        super().__init__()
        self._inputs = [x for x, _ in batches.take(SETTLING)]

    def on_epoch_end(self, epoch, logs=None):
        normalization.settle(self.model, self._inputs)


class _KeepBest(keras.callbacks.Callback):
    """Writes the weights whenever the validation loss is the lowest so far."""

    def __init__(self, network, path):
        super().__init__()
        self._network, self._path, self._lowest = network, path, np.inf

    def on_epoch_end(self, epoch, logs=None):
        if logs["val_loss"] < self._lowest:
            self._lowest = logs["val_loss"]
            keras2.save_weights(self._network, self._path)
