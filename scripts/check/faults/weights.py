"""Damaged weight files of other programs, imported."""

import pathlib
import pickle
import shutil

import numpy as np

from noise2x import methods
from scripts.check import forked, untrained
from scripts.check.faults import damage
from scripts.tools import import_weights


def write_weights(folder):
    """Writes good weight files; returns a list of (name of the method, path)."""
    folder.mkdir(parents=True)
    tests = forked.ROOT / "tests"
    network = untrained.build("n2n_tf", {"channels": 1}).network
    kinds = {"kernel": "w", "bias": "b"}
    variables = [
        (f"{layer.name}/{kinds[v.name]}", np.asarray(v))
        for layer in network.layers
        for v in layer.weights
    ]
    pickled = folder / "network_final.pickle"
    pickled.write_bytes(pickle.dumps({"version": 2, "variables": variables}, 2))
    shutil.copytree(tests / "n2v_tf" / "juglab_model", folder / "juglab_model")
    weights = [("n2n_tf", pickled), ("n2v_tf", folder / "juglab_model")]
    for path in sorted((tests / "scripts" / "tools").glob("*.pth")):
        shutil.copy(path, folder)
        weights.append(("rdunet_tf", folder / path.name))
    return weights


def fuzz(count, output, watch, rng):
    """Imports damaged weight files, and the good ones afterwards."""
    good = write_weights(output / "weights")
    taken = 0
    for number in range(count):
        method, path = good[number % len(good)]
        target = output / f"{number:05d}-{path.name}"
        damage.damaged_copy(path, target, rng)
        run_dir = output / "run"
        failed = watch.failed
        watch.run(
            target.name,
            lambda m=method, t=target: import_weights.convert(methods.find(m), t, output / "run"),
        )
        taken += run_dir.exists()
        shutil.rmtree(run_dir, ignore_errors=True)
        if watch.failed == failed:
            (shutil.rmtree if target.is_dir() else pathlib.Path.unlink)(target)
    for method, path in good:
        import_weights.convert(methods.find(method), path, output / f"run-{path.name}")
    print(f"weights: {count} damaged, {taken} taken, for the damage left their format whole.")
