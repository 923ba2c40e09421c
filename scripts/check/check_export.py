"""Checks that exported models compute the same as the models here, also under load.

noise2x check-export --output=agreement                          # every method, untrained networks
noise2x check-export --run_dir=runs/gauss25 --output=agreement
noise2x check-export --methods= --calls=2000 --output=load       # eight threads call one model

Every signature is run on images of odd sizes down to 1x1: by TensorFlow, in a process without Keras
and without this project, by ONNX Runtime and by OpenVINO (extras `onnx` and `openvino`). A figure
is the largest difference to the model here, as a share of the largest value, or in steps for
integers. The exit code is 1 if a figure is above the tolerance.
"""

import concurrent.futures
import importlib.util
import io
import json
import pathlib
import subprocess
import sys

import numpy as np
import PIL.Image
from absl import flags as absl_flags

from common.commands import flags, running
from noise2x import methods
from scripts.check import memory, untrained

FLAGS = flags.FLAGS
TOLERANCE = 1e-5
# Smallest value that differences are shares of; on one pixel a network may return nearly 0.
LEAST = 0.01
# Method -> settings to try: those that change the graph.
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
    "dbsn_tf": [
        {"width": 8, "blocks": 2},
        {"width": 8, "blocks": 2, "config": "poissongauss30+5"},
        {"width": 8, "blocks": 2, "config": "multigauss25"},
        {"width": 8, "blocks": 2, "blind": "trimmed"},
    ],
    "dbsn_tf.distill": [{"width": 8}],
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

# Program for a process in which Keras and this project can't be imported.
TENSORFLOW = """
import pathlib, sys
sys.modules["keras"] = None
import numpy as np, tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
for path in sorted(pathlib.Path(sys.argv[2]).glob("*.in.npz")):
    serve = model.signatures[path.name.split(".")[1]]
    with np.load(path) as inputs:
        arrays = {k: v if v.dtype.kind != "S" else v.astype(object) for k, v in inputs.items()}
        result = serve(**{k: tf.constant(v) for k, v in arrays.items()})
    outputs = {k: np.asarray(v) for k, v in result.items()}
    outputs = {k: v if v.dtype != object else tf.io.decode_png(v[0], dtype=tf.uint16)
               for k, v in outputs.items()}
    np.savez(path.with_name(path.name.replace(".in.", ".out.")), **outputs)
assert "common" not in sys.modules and sys.modules["keras"] is None
"""


def example(spec, size, channels, rng):
    """Makes an input for a TensorSpec: an image, a volume, a noise level, or a PNG file's bytes.

    Args:
        spec: tf.TensorSpec of an input of a signature.
        size: (H, W) of the image, pixels.
        channels: of the image, where the spec leaves them open.
        rng: np.random.Generator.
    """
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
    """Largest difference between two dicts of arrays, in the unit that the module describes.

    Args:
        found: outputs of an exported model.
        expected: outputs of the model here.

    Returns:
        float; infinite for other shapes, and for values that are not finite.
    """
    worst = 0.0
    for name, values in expected.items():
        other = np.asarray(found[name], np.float64)
        if values.shape != other.shape or not np.isfinite(other).all():
            return np.inf
        if values.dtype.kind in "iu":
            # One step is rounding. 8-bit PNGs are decoded to 16 bits, where a step is 257.
            step = 257 if name == "denoised_bytes" else 1
            gap = np.abs(values - other).max() // step
            worst = max(worst, gap if gap > 1 else 0.0)
            continue
        values = values.astype(np.float64)
        worst = max(worst, np.abs(values - other).max() / max(np.abs(values).max(), LEAST))
    return worst


def inputs_of(denoiser, specs, signature, sizes=SIZES):
    """Yields inputs of several sizes for a signature.

    Args:
        denoiser: the model.
        specs: dict of the signature's TensorSpecs.
        signature: its name.
        sizes: (H, W) of the images, pixels; made larger where the signature needs that.
    """
    rng = np.random.default_rng(0)
    multiple = denoiser.config.side_multiple
    for size in sizes:
        if signature == "tile":
            size = tuple(-(-n // multiple) * multiple for n in size)
        elif "density" in specs:
            size = tuple(n + 1 - n % 2 for n in size)  # slices have odd sides
        inputs = {k: example(s, size, denoiser.config.channels, rng) for k, s in specs.items()}
        if signature == "tile" and denoiser.spatial == 3:
            depth = -(-inputs["noisy"].shape[1] // multiple) * multiple
            inputs["noisy"] = np.resize(inputs["noisy"], (1, depth, *inputs["noisy"].shape[2:]))
        yield inputs


def check(denoiser, folder, runtimes, sizes=SIZES):
    """Exports a model and compares the exports with it.

    Args:
        denoiser: the model.
        folder: for the exported files, which stay there.
        runtimes: names among "tensorflow", "onnxruntime" and "openvino".
        sizes: see `inputs_of`.

    Returns:
        dict of (signature, runtime) -> largest difference.
    """
    from common.serving import saved_models

    endpoints = saved_models.signatures(denoiser)
    saved = saved_models.export(denoiser, folder / "saved_model", name="checked")
    cases = [
        (name, f"{name}.{i}", inputs)
        for name, (_, specs) in endpoints.items()
        for i, inputs in enumerate(inputs_of(denoiser, specs, name, sizes))
    ]
    expected = {case: _numpy(endpoints[name][0](inputs)) for name, case, inputs in cases}
    outputs = {}
    if "tensorflow" in runtimes:
        outputs["tensorflow"] = _run_tensorflow(saved, folder / "cases", cases)
    if "onnxruntime" in runtimes or "openvino" in runtimes:
        try:
            onnx = saved_models.export_onnx(denoiser, folder / "onnx")
        except ValueError as error:
            print(error)
            onnx = folder  # nothing there
        for runtime, run in (("onnxruntime", load_onnxruntime), ("openvino", load_openvino)):
            if runtime in runtimes:
                outputs[runtime] = _run_onnx(run, onnx, cases)
    worst = {}
    for runtime, results in outputs.items():
        for name, case, _ in cases:
            if case in results:
                gap = difference(results[case], expected[case])
                worst[name, runtime] = max(gap, worst.get((name, runtime), 0.0))
    return worst


def _numpy(result):
    """The outputs of a signature as NumPy arrays; PNG files are decoded."""
    import tensorflow as tf

    outputs = {name: np.asarray(value) for name, value in result.items()}
    return {
        k: np.asarray(tf.io.decode_png(v[0], dtype=tf.uint16)) if v.dtype == object else v
        for k, v in outputs.items()
    }


def _run_tensorflow(saved, folder, cases):
    """Outputs of a SavedModel, by case, from a process without Keras."""
    folder.mkdir(parents=True)
    for _, case, inputs in cases:
        signature, number = case.split(".")
        arrays = {k: v if v.dtype != object else v.astype("S") for k, v in inputs.items()}
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
    """Outputs of the signatures that have an .onnx file, by case; load: a function below."""
    sessions = {path.stem: load(path) for path in folder.glob("*.onnx")}
    return {case: sessions[name](inputs) for name, case, inputs in cases if name in sessions}


def load_onnxruntime(path):
    """Loads an .onnx file in ONNX Runtime: a function from dict of arrays to dict of arrays."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return lambda inputs: dict(zip(names, session.run(names, inputs)))


def load_openvino(path):
    """Loads an .onnx file in OpenVINO: a function from dict of arrays to dict of arrays."""
    import openvino

    # By default it computes in bfloat16 on processors that have it.
    hint = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(path, "CPU", hint)
    names = [output.get_any_name() for output in compiled.outputs]
    return lambda inputs: dict(zip(names, compiled(inputs).values()))


def load_test(denoiser, folder, calls):
    """Calls one SavedModel from several threads at once, with images of 40 sizes.

    Args:
        denoiser: a small model of images with one channel.
        folder: for the SavedModel.
        calls: total number of calls.

    Returns:
        (number of wrong answers, memory of the process after a tenth of the calls, and after all
        calls, megabytes).
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
        denoised = serve(noisy=tf.constant(inputs[i]))["denoised"]
        return difference({"denoised": denoised}, {"denoised": expected[i]}) > TOLERANCE

    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        wrong = sum(pool.map(is_wrong, range(calls // 10)))
        before = memory.resident() / 1e6
        wrong += sum(pool.map(is_wrong, range(calls // 10, calls)))
    return wrong, before, memory.resident() / 1e6


def installed():
    """Names of the runtimes that are installed."""
    packages = {"onnxruntime": ("tf2onnx", "onnxruntime"), "openvino": ("tf2onnx", "openvino")}
    return ["tensorflow"] + [
        runtime
        for runtime, needed in packages.items()
        if all(importlib.util.find_spec(package) for package in needed)
    ]


def define_flags():
    """Defines the flags of this program."""
    absl_flags.DEFINE_list(
        "methods", list(methods.NAMES), "Methods to check, with untrained networks [all]."
    )
    absl_flags.DEFINE_multi_string(
        "run_dir", [], "Run folder of a trained model to check instead; may be repeated."
    )
    absl_flags.DEFINE_integer(
        "calls", 0, "Number of calls of a small n2v_tf model, from eight threads [0].", 0
    )
    absl_flags.DEFINE_string(
        "output", None, "New folder for the exported models and agreement.json. Required."
    )


def run():
    """Checks the models, prints a table, and writes agreement.json.

    Raises:
        ValueError: a difference is above the tolerance.
    """
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
    """Runs `noise2x check-export`."""
    running.run(run, define_flags, __doc__)


if __name__ == "__main__":
    main()
