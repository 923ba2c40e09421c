"""The training steps of this project: python -m scripts.check.peers.ours CROPS SETTINGS.

CROPS: .npy of (N, H, W, C) float32, noisy. SETTINGS: JSON of the method and of its configuration.
"""

import dataclasses
import json
import sys

from scripts.check.peers import pace

STEPS = 10**6  # more than anybody asks for


def main():
    """Trains until nobody asks for more steps."""
    steps = pace.Pace()
    crops_path, settings = sys.argv[1], json.loads(sys.argv[2])
    from common import quiet

    quiet.import_keras()
    import keras
    import numpy as np

    from common.data import image_sets
    from common.training import loop
    from noise2x import methods

    method = methods.find(settings.pop("method"))
    if method.name == "n2v_tf":
        settings["data_path"] = crops_path  # they are noisy already
    config = dataclasses.replace(method.default_config, num_images=STEPS, **settings).completed()
    crops = list(np.load(crops_path))
    images = image_sets.ImageSet("crops", crops, [str(i) for i in range(len(crops))])
    if method.name == "n2v_tf":
        from n2v_tf import data

        images = data.with_statistics(images, config)
    denoiser = method.build(config, images)
    loop.compile_for_training(denoiser, method.optimizer(config))
    after = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: steps.step())
    denoiser.fit(
        method.batches(images, config), steps_per_epoch=STEPS, verbose=0, callbacks=[after]
    )


if __name__ == "__main__":
    main()
