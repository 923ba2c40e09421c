"""Whether exported models say elsewhere what they say here, and go on doing so under load.

python -m scripts.check_export --output=agreement                # every method, untrained networks
python -m scripts.check_export --run_dir=runs/gauss25 --output=agreement
python -m scripts.check_export --methods= --calls=2000 --output=load   # eight threads, one model

Every signature is run by TensorFlow in a process without Keras and without this project, by ONNX
Runtime and by OpenVINO (extras `onnx`, `openvino`), on images of odd sizes down to 1x1. A figure is
the largest difference to the model here, as a share of the largest value; of integers, in steps.
Exit code 1 if one is above the tolerance.
"""

import concurrent.futures
import importlib.util
import io
import json
import pathlib
import resource
import subprocess
import sys

import numpy as np
import PIL.Image
from absl import flags as absl_flags

from common.commands import flags, running
from noise2x import methods
from scripts.check import untrained

FLAGS = flags.FLAGS
TOLERANCE = 1e-5
LEAST = 0.01  # value that differences are shares of; a network of one pixel may give nearly 0
# Of every method the settings to try: what changes the graph.
VARIANTS = {
    "n2n_tf": [{"channels": 3}],
    "n2n_tf.mri": [{}],
    "rdunet_tf": [{"channels": 1, "width": 8}],
    "ssdn_tf": [
        {"channels": 3, "noise_params": "known"},
        {"channels": 1, "noise": "poisson30", "noise_params": "per_image"},
        {"channels": 3, "noise": "gauss5_50", "noise_params": "known"},
        {"channels": 3, "noise": "impulse50", "noise_params": "global"},
    ],
    "deblur": [{"channels": 1}, {"formulation": "log_nodc", "channels": 3}],
    "superres": [{"channels": 1}, {"learner": "n2v", "scale": 3, "channels": 3}],
    "n2v_tf": [
        {"channels": 2, "width": 8},
        {"config": "n2v2", "width": 8},
        {"config": "n2v-3d", "width": 4},
    ],
}
SIZES = ((1, 1), (2, 7), (33, 45), (64, 96))
THREADS = 8

# Runs where only TensorFlow may be imported.
TENSORFLOW = """
import pathlib, sys
sys.modules["keras"] = None
import numpy as np, tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
for path in sorted(pathlib.Path(sys.argv[2]).glob("*.in.npz")):
    serve = model.signatures[path.name.split(".")[1]]
    with np.load(path) as inputs:
        given = {k: v if v.dtype.kind != "S" else v.astype(object) for k, v in inputs.items()}
        result = serve(**{k: tf.constant(v) for k, v in given.items()})
    found = {k: np.asarray(v) for k, v in result.items()}
    found = {k: v if v.dtype != object else tf.io.decode_png(v[0], dtype=tf.uint16)
             for k, v in found.items()}
    np.savez(path.with_name(path.name.replace(".in.", ".out.")), **found)
assert "common" not in sys.modules and sys.modules["keras"] is None
"""


def example(spec, size, channels, rng):
    """Values for a TensorSpec: an image or volume of a size, a level, or a PNG file of it."""
    name, kind = spec.name, spec.dtype.name
    if name == "noise_level":
        return np.array([0.1], np.float32)
    sides = (5, *size) if len(spec.shape) == 5 else size
    if kind == "string":
        file = io.BytesIO()
        pixels = rng.integers(0, 256, (*size, 3), np.uint8)
        PIL.Image.fromarray(pixels).save(file, "png")
        return np.array([file.getvalue()], object)
    shape = (1, *sides, spec.shape[-1] or channels)
    values = 0.5 + 0.1 * rng.standard_normal(shape).astype(np.float32)
    if kind == "uint8":
        return (255 * values).clip(0, 255).astype(np.uint8)
    return (values > 0.5).astype(np.float32) if name == "density" else values


def difference(found, expected):
    """Largest difference of two dicts of arrays, as the module's docstring says."""
    worst = 0.0
    for name, values in expected.items():
        other = np.asarray(found[name], np.float64)
        if values.shape != other.shape or not np.isfinite(other).all():
            return np.inf
        if values.dtype.kind in "iu":
            # Half a step either way is rounding; 8 bits are decoded to 16.
            step = 257 if name == "denoised_bytes" else 1
            gap = np.abs(values - other).max() // step
            worst = max(worst, gap if gap > 1 else 0.0)
            continue
        values = values.astype(np.float64)
        worst = max(worst, np.abs(values - other).max() / max(np.abs(values).max(), LEAST))
    return worst


def inputs_of(denoiser, specs, signature, sizes=SIZES):
    """Inputs of several sizes for a signature."""
    rng = np.random.default_rng(0)
    multiple = denoiser.config.side_multiple
    for size in sizes:
        if signature == "tile":
            size = tuple(-(-n // multiple) * multiple for n in size)
        elif "density" in specs:
            size = tuple(n + 1 - n % 2 for n in size)  # slices have odd sides
        given = {k: example(s, size, denoiser.config.channels, rng) for k, s in specs.items()}
        if signature == "tile" and denoiser.spatial == 3:
            depth = -(-given["noisy"].shape[1] // multiple) * multiple
            given["noisy"] = np.resize(given["noisy"], (1, depth, *given["noisy"].shape[2:]))
        yield given


def check(denoiser, folder, runtimes, sizes=SIZES):
    """{(signature, runtime): largest difference} of a model; its files are left in `folder`."""
    from common.serving import saved_models

    endpoints = saved_models.signatures(denoiser)
    saved = saved_models.export(denoiser, folder / "saved_model", name="checked")
    cases = [
        (name, f"{name}.{i}", given)
        for name, (_, specs) in endpoints.items()
        for i, given in enumerate(inputs_of(denoiser, specs, name, sizes))
    ]
    expected = {case: _numpy(endpoints[name][0](given)) for name, case, given in cases}
    found = {}
    if "tensorflow" in runtimes:
        found["tensorflow"] = _run_tensorflow(saved, folder / "cases", cases)
    if "onnxruntime" in runtimes or "openvino" in runtimes:
        try:
            onnx = saved_models.export_onnx(denoiser, folder / "onnx")
        except ValueError as error:
            print(error)
            onnx = folder  # nothing there
        for runtime, run in (("onnxruntime", load_onnxruntime), ("openvino", load_openvino)):
            if runtime in runtimes:
                found[runtime] = _run_onnx(run, onnx, cases)
    worst = {}
    for runtime, results in found.items():
        for name, case, _ in cases:
            if case in results:
                gap = difference(results[case], expected[case])
                worst[name, runtime] = max(gap, worst.get((name, runtime), 0.0))
    return worst


def _numpy(result):
    import tensorflow as tf

    found = {name: np.asarray(value) for name, value in result.items()}
    return {
        k: np.asarray(tf.io.decode_png(v[0], dtype=tf.uint16)) if v.dtype == object else v
        for k, v in found.items()
    }


def _run_tensorflow(saved, folder, cases):
    folder.mkdir(parents=True)
    for _, case, given in cases:
        signature, number = case.split(".")
        arrays = {k: v if v.dtype != object else v.astype("S") for k, v in given.items()}
        np.savez(folder / f"{number}.{signature}.in.npz", **arrays)
    done = subprocess.run(
        [sys.executable, "-c", TENSORFLOW, str(saved.resolve()), str(folder.resolve())],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"TensorFlow without Keras failed:\n{done.stderr[-2000:]}")
    results = {}
    for _, case, _ in cases:
        signature, number = case.split(".")
        with np.load(folder / f"{number}.{signature}.out.npz") as stored:
            results[case] = dict(stored)
    return results


def _run_onnx(load, folder, cases):
    """Results of the signatures that have a file; `load(path)` gives a function of a dict."""
    sessions = {path.stem: load(path) for path in folder.glob("*.onnx")}
    return {case: sessions[name](given) for name, case, given in cases if name in sessions}


def load_onnxruntime(path):
    """A function of a dict of arrays, from an .onnx file."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return lambda inputs: dict(zip(names, session.run(names, inputs)))


def load_openvino(path):
    """Likewise."""
    import openvino

    # On this kind of processor its own choice is bfloat16.
    hint = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(path, "CPU", hint)
    names = [output.get_any_name() for output in compiled.outputs]
    return lambda inputs: dict(zip(names, compiled(inputs).values()))


def load_test(denoiser, folder, calls):
    """Calls one SavedModel from several threads at once, with images of 40 sizes.

    Args:
        denoiser: of images, small enough.
        folder: for the SavedModel.
        calls: how many in all.

    Returns:
        (wrong answers, megabytes of the process after a tenth of the calls, and after all).
    """
    import tensorflow as tf

    from common.serving import saved_models

    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 97, (40, 2))
    inputs = [rng.random((1, *size, 1), np.float32) for size in sizes]
    expected = [denoiser.predict_on_batch({"noisy": x})["denoised"] for x in inputs]
    saved = saved_models.export(denoiser, folder, name="load")
    serve = tf.saved_model.load(str(saved)).signatures["serving_default"]

    def is_wrong(i):
        i %= len(inputs)
        found = serve(noisy=tf.constant(inputs[i]))["denoised"]
        return difference({"denoised": found}, {"denoised": expected[i]}) > TOLERANCE

    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        wrong = sum(pool.map(is_wrong, range(calls // 10)))
        before = _memory()
        wrong += sum(pool.map(is_wrong, range(calls // 10, calls)))
    return wrong, before, _memory()


def _memory():
    """Resident memory of this process, megabytes."""
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def installed():
    """The runtimes that are here."""
    packages = {"onnxruntime": ("tf2onnx", "onnxruntime"), "openvino": ("tf2onnx", "openvino")}
    return ["tensorflow"] + [
        runtime
        for runtime, needed in packages.items()
        if all(importlib.util.find_spec(package) for package in needed)
    ]


def define_flags():
    absl_flags.DEFINE_list(
        "methods", list(methods.NAMES), "Methods to try with untrained networks."
    )
    absl_flags.DEFINE_multi_string("run_dir", [], "Try these trained models instead.")
    absl_flags.DEFINE_integer("calls", 0, "Calls from eight threads at a small n2v_tf model.", 0)
    absl_flags.DEFINE_string("output", None, "New folder for models and agreement.json. Required.")


def run():
    flags.require("output")
    output = pathlib.Path(FLAGS.output)
    output.mkdir(parents=True)
    runtimes = installed()
    print(f"Runtimes: {', '.join(runtimes)}")
    checked = [
        (f"{name} {json.dumps(settings)}", untrained.build(name, settings))
        for name in (() if FLAGS.run_dir else filter(None, FLAGS.methods))
        for settings in VARIANTS[name]
    ]
    checked += [(path, methods.of_run(path).load_deployed(path)) for path in FLAGS.run_dir]
    table, failed = {}, 0
    for number, (label, denoiser) in enumerate(checked):
        worst = check(denoiser, output / str(number), runtimes)
        for (signature, runtime), gap in worst.items():
            table.setdefault(f"{label} {signature}", {})[runtime] = gap
            failed += not gap <= TOLERANCE
        for signature in dict.fromkeys(signature for signature, _ in worst):
            gaps = table[f"{label} {signature}"]
            row = "  ".join(f"{r} {gaps[r]:.1e}" if r in gaps else f"{r} -" for r in runtimes)
            print(f"{label}  {signature}: {row}", flush=True)
    if FLAGS.calls:
        denoiser = untrained.build("n2v_tf", {"width": 8})
        wrong, before, after = load_test(denoiser, output / "load", FLAGS.calls)
        print(
            f"{FLAGS.calls} calls from {THREADS} threads, 40 sizes up to 96x96: {wrong} wrong; "
            f"memory {before:.0f} MB after a tenth of them, {after:.0f} MB after all."
        )
        failed += wrong
    (output / "agreement.json").write_text(json.dumps(table, indent=1))
    if failed:
        raise ValueError(f"{failed} comparisons above the tolerance of {TOLERANCE:.0e}.")
    print(f"All within {TOLERANCE:.0e}. {output}/agreement.json has the figures.")


def main():
    running.run(run, define_flags, __doc__)


if __name__ == "__main__":
    main()
