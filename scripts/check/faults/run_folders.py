"""Damaged run folders: read as `denoise` and `--resume` read them."""

import shutil

import keras
import numpy as np

import noise2x
from common.training import loop, runs
from noise2x import methods
from scripts.check.faults import damage


def make(commands, folder):
    """Trains a tiny model; returns its run folder."""
    run_dir = folder / "trained"
    flags = ["--num_images=8", "--batch_size=4", "--crop_size=32", "--width=4", "--depth=1"]
    done = commands.run("n2v_tf.train", [f"--run_dir={run_dir}", *flags, "--precision=float32"])
    if done.returncode:
        raise ValueError(f"the training to damage failed: {done.stderr}")
    return run_dir


def use(run_dir, noisy):
    """Restores an image with a run folder, and reads what a resumed training reads."""
    method = methods.of_run(run_dir)
    runs.is_finished(run_dir)
    noise2x.denoise(noisy, method.load_deployed(run_dir))
    config, _ = method.load_config(run_dir)
    denoiser = method.build(config)
    loop.compile_for_training(denoiser, method.optimizer(config))
    step = runs.load_state(run_dir, denoiser)
    loop.Log(run_dir / "log.csv", step * config.batch_size)


def fuzz(count, output, watch, rng, commands):
    """Uses copies of a run folder with one file of config, weights, checkpoint or log damaged."""
    good = make(commands, output)
    names = ("config.json", "weights.weights.h5", "checkpoint/state.npz", "log.csv")
    noisy = rng.random((32, 32), np.float32)
    use(good, noisy)
    taken = 0
    for number in range(count):
        run_dir = output / f"run-{number:05d}"
        shutil.copytree(good, run_dir)
        target = run_dir / names[rng.integers(len(names))]
        target.write_bytes(damage.damage(target.read_bytes(), rng))
        failed = watch.failed

        def use_it(run_dir=run_dir):
            nonlocal taken
            use(run_dir, noisy)
            taken += 1

        watch.run(f"{run_dir}: {target.name}", use_it)
        keras.utils.clear_session()  # the graphs of hundreds of models take gigabytes
        if watch.failed == failed:
            shutil.rmtree(run_dir)
    print(f"run folders: {count} damaged, {taken} usable all the same.", flush=True)
