"""The training steps of juglab's n2v: python juglab_n2v.py CROPS SETTINGS, in its environment.

CROPS: .npy of (N, H, W, 1) float32, noisy. SETTINGS: JSON of ours, see ours.py.
"""

import json
import sys
import tempfile

import pace

EPOCH = 1000  # steps; more than are measured, for at its end the original validates


def main():
    """Trains until nobody asks for more steps."""
    steps = pace.Pace()
    import keras
    import numpy as np
    from n2v.models import N2V, N2VConfig

    crops, settings = np.load(sys.argv[1]), json.loads(sys.argv[2])
    config = N2VConfig(
        crops,
        unet_kern_size=settings["kernel_size"],
        unet_n_first=settings["width"],
        unet_n_depth=settings["depth"],
        train_steps_per_epoch=EPOCH,
        train_epochs=1,
        train_loss=settings["loss"],
        batch_norm=settings["batch_norm"],
        train_batch_size=settings["batch_size"],
        n2v_perc_pix=settings["perc_pix"],
        n2v_patch_shape=crops.shape[1:3],
        n2v_manipulator=settings["manipulator"],
        n2v_neighborhood_radius=settings["radius"],
        train_tensorboard=False,
    )

    class AfterStep(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            steps.step()

    with tempfile.TemporaryDirectory() as folder:
        model = N2V(config, "peer", basedir=folder)
        model.prepare_for_training(metrics=())
        model.callbacks.append(AfterStep())
        model.train(crops, crops[: settings["batch_size"]])


if __name__ == "__main__":
    main()
