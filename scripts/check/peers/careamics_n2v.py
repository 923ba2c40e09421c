"""The training steps of CAREamics' N2V: python careamics_n2v.py CROPS SETTINGS, in its environment.

CROPS: .npy of (N, H, W, 1) float32, noisy. SETTINGS: JSON of ours, see ours.py.
"""

import json
import sys
import tempfile

import pace


def main():
    """Trains until nobody asks for more steps."""
    steps = pace.Pace()
    import numpy as np
    from careamics import CAREamist
    from careamics.config import create_advanced_n2v_config
    from lightning.pytorch.callbacks import Callback

    crops, settings = np.load(sys.argv[1])[..., 0], json.loads(sys.argv[2])
    config = create_advanced_n2v_config(
        "peer",
        "array",
        "SYX",
        crops.shape[1:],
        settings["batch_size"],
        num_epochs=1000,  # more than are measured
        masked_pixel_percentage=settings["perc_pix"],
        roi_size=2 * settings["radius"] + 1,
        model_params={"depth": settings["depth"], "num_channels_init": settings["width"]},
        num_workers=0,
    )

    class AfterStep(Callback):
        def on_train_batch_end(self, *args):
            steps.step()

    with tempfile.TemporaryDirectory() as folder:
        trainer = CAREamist(
            config, work_dir=folder, callbacks=[AfterStep()], enable_progress_bar=False
        )
        trainer.train(train_data=crops)


if __name__ == "__main__":
    main()
