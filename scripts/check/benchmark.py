"""Measures the speed of training and of restoring on this machine.

noise2x benchmark                                        # ssdn, n2n, n2v and rdunet, some minutes
noise2x benchmark n2v --config=n2v2 --precision=float32
noise2x benchmark photo ssdn-gauss5_50 --sizes=1024x1024   # models that come along: restoring alone
noise2x benchmark ssdn --batch_size=1 --crop_size=64 --json=new.json --compare=old.json

ceiling    what the processor does at best: a product of two square matrices
step       a training step on batches that are ready in memory, with the share of its time that is
           the data pipeline's if it ran alone (batches) and, for n2v, the hiding of blind spots
alone      the convolutions of that step, each timed by itself, and the share of the ceiling. A
           transposed one is the input gradient of a convolution, or enlarges in a decoder
restore    an image of each of --sizes, in a process of its own: the first call, which also traces
           the graph, a later one, and the memory at the peak beyond that of the program; models
           that are not told the noise level find it each time
start      the whole command `noise2x denoise` for one 512x512 picture, and `noise2x --help`
peers      with --peers=FOLDER, steps of other programs on the same data with the same settings, in
           turn with ours: juglab's n2v and CAREamics for n2v, plain PyTorch for ssdn. Their
           environments are made in that folder, and take gigabytes

Training is measured in bfloat16 where the processor has it, restoring in the arithmetic that
`denoise` takes, unless --precision says otherwise. All figures are medians. On a shared machine
only those of the same run can be compared; --compare shows the ratio to those of an older run.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import multiprocessing
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
from absl import flags as absl_flags

from common import configuration, processor, shipped
from common.commands import flags, running
from noise2x import methods
from scripts.check import memory
from scripts.check.peers import comparing

FLAGS = flags.FLAGS
WARM_UP = 3  # first steps, which also trace functions and fill caches
DEFAULT = ("ssdn", "n2n", "n2v", "rdunet")
STARTS = 3  # of each command


def define_flags():
    """Defines the flags of this program."""
    flags.define_data()
    absl_flags.DEFINE_string("config", None, "Named configuration of the method [its default].")
    absl_flags.DEFINE_integer("steps", 20, "Number of steps to measure [20].", 1)
    absl_flags.DEFINE_integer("batch_size", None, "Crops in a step [the configuration's].", 1)
    absl_flags.DEFINE_integer("crop_size", 64, "Side of a crop, pixels [64].", 1)
    absl_flags.DEFINE_list(
        "sizes", ["512x512", "768x512"], "Images to restore, width x height [512x512,768x512]."
    )
    absl_flags.DEFINE_bool("start", True, "Also time whole commands, from start to end [true].")
    absl_flags.DEFINE_string("json", None, "File to write the figures to [none].")
    absl_flags.DEFINE_string(
        "peers", None, "Folder for environments of other programs to compare with [none]."
    )
    absl_flags.DEFINE_string("compare", None, "File of an older run's --json to compare with.")
    absl_flags.DEFINE_enum(
        "precision",
        "auto",
        list(flags.PRECISIONS),
        "Arithmetic of training and restoring; auto: bfloat16 for a training where the processor "
        "has it, and for restoring what `denoise` takes [auto].",
    )


def seconds(calls):
    """Median time, seconds, that an iterator takes for an item, without the first items."""
    times = []
    began = time.perf_counter()
    for _ in calls:
        times.append(time.perf_counter() - began)
        began = time.perf_counter()
    return float(np.median(times[WARM_UP:]))


def masking_seconds(batch, image_set, config):
    """Time, seconds, that `n2v_tf.data.hide` takes for one crop.

    Args:
        batch: (x, y), whose targets are the crops.
        image_set: `n2v_tf.data.TrainingSet`.
        config: a completed `n2v_tf.configs.Config`.
    """
    import tensorflow as tf

    from n2v_tf import data

    crops = tf.constant(batch[1]["target"])

    @tf.function
    def hide(number):
        crop = tf.ensure_shape(crops[number % config.batch_size], crops.shape[1:])
        seed = tf.stack([0, number])
        return data.hide(crop, image_set.mean, image_set.std, config, seed)

    count = 20 * config.batch_size
    return seconds(hide(tf.constant(i)) for i in range(count))


def chosen_config(method):
    """The configuration of a method that the flags ask for."""
    name = FLAGS.config or method.default
    configuration.expect("config", name, list(method.named))
    changes = {n: FLAGS[n].value for n in ("batch_size", "crop_size") if FLAGS[n].value is not None}
    if method.name == "rdunet_tf" and not FLAGS.config:
        changes["width"] = method.short["width"]  # the paper's needs minutes on two cores
    precision = FLAGS.precision
    if precision == "auto":
        precision = processor.fast_precision()
    settings = {"precision": precision, "num_images": 10**6}
    return name, dataclasses.replace(method.named[name], **settings | changes).completed()


def training_figures(method, config):
    """Times of a training step and of its parts, milliseconds; floating-point operations."""
    from common.training import loop
    from scripts.check import convolutions

    image_set = method.training_images(config, FLAGS.data_dir, None)
    denoiser = method.build(config, image_set)
    loop.compile_for_training(denoiser, method.optimizer(config))
    count = FLAGS.steps + WARM_UP
    batches = list(itertools.islice(method.batches(image_set, config, 0), count))
    found = {
        "batches_ms": 1e3
        * seconds(itertools.islice(method.batches(image_set, config, 0), 5 * count)),
        "step_ms": 1e3 * seconds(denoiser.train_on_batch(x, y) for x, y in batches),
    }
    if method.name == "n2v_tf":
        found["masking_ms"] = (
            1e3 * config.batch_size * masking_seconds(batches[0], image_set, config)
        )
    alone = {kind: [0.0, 0.0] for kind in ("convolution", "transposed", "kernel gradient")}
    for convolution, times in convolutions.of_step(denoiser, batches[0]).items():
        alone[convolution.kind][0] += times * convolution.seconds() * 1e3
        alone[convolution.kind][1] += times * convolution.flops
    for kind, (milliseconds, flops) in alone.items():
        found[f"{kind.replace(' ', '_')}_ms"] = milliseconds
        found[f"{kind.replace(' ', '_')}_tflops"] = flops / milliseconds / 1e9
    found["alone_ms"] = sum(milliseconds for milliseconds, _ in alone.values())
    found["gflop"] = sum(flops for _, flops in alone.values()) / 1e9
    return found


def untrained(name, config_dict):
    """A denoiser as its training would begin, with statistics."""
    method = methods.find(name)
    config = type(method.default_config)(**config_dict)
    denoiser = method.build(config)
    if hasattr(denoiser, "set_statistics"):
        denoiser.set_statistics(np.zeros(config.channels), np.ones(config.channels))
    return denoiser


def shipped_model(name, precision):
    """A model that comes along."""
    return methods.of_run(name).load_deployed(name, precision)


def restoring_figures(make, side, queue):
    """Puts (seconds of the first call, of a later one, peak bytes) of one image into a queue.

    make: called without arguments, gives the denoiser; side: (height, width).
    """
    from common import quiet

    quiet.import_keras()
    from common.restoring import prediction

    denoiser = make()
    config = denoiser.config
    image = np.random.default_rng(0).random((*side, config.channels), np.float32)
    inputs = {"noisy": image}
    if denoiser.takes_level and not denoiser.looks_for_level:
        inputs["noise_level"] = np.float32(config.validation_noise.fixed_level())
    before, times = memory.peak(), []
    for _ in range(4):
        began = time.perf_counter()
        prediction.restore(denoiser, inputs)  # which finds the level, too
        times.append(time.perf_counter() - began)
    queue.put((times[0], float(np.median(times[1:])), memory.peak() - before))


def restore_apart(make, side):
    """`restoring_figures` of a new process, so that no earlier peak hides this one."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=restoring_figures, args=(make, side, queue))
    process.start()
    while queue.empty() and process.is_alive():
        time.sleep(0.05)
    if queue.empty():
        raise ValueError(f"restoring {side}: the process ended with {process.exitcode}.")
    figures = queue.get()
    process.join()
    return figures


def sizes_figures(make, precision):
    """The figures of images of all --sizes, by name; make: see `restoring_figures`."""
    found = {"sizes": FLAGS.sizes, "restoring_precision": precision}
    for side in FLAGS.sizes:
        width, height = parse_size(side)
        first, later, peak = restore_apart(make, (height, width))
        found |= {f"restore_{side}_first_s": first, f"restore_{side}_s": later}
        found[f"restore_{side}_gb"] = peak / 1e9
    return found


def shipped_figures(name):
    """The figures of a model that comes along, which is only restored with."""
    method, precision = methods.of_run(name), FLAGS.precision
    if precision == "auto":
        precision = method.restoring_precision(method.load_config(name)[0])
    return sizes_figures(functools.partial(shipped_model, name, precision), precision)


def start_seconds(method, config):
    """(seconds from the command `denoise` to the restored 512x512 picture, seconds of --help)."""
    from common.files import image_files
    from common.training import runs

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        denoiser = untrained(method.name, config.to_dict())
        runs.save_config(path, method.name, config)
        runs.save_weights(path, denoiser)
        noise = np.random.default_rng(0).integers(0, 256, (512, 512, config.channels), np.uint8)
        image_files.write(path / "a.png", noise if config.channels > 1 else noise[..., 0])
        restore = ["denoise", f"--run_dir={path}", f"--output={path}/out", f"{path}/a.png"]
        return _command_seconds(restore), _command_seconds(["--help"])


def _command_seconds(arguments):
    """Median time of a command of noise2x, seconds."""
    root = pathlib.Path(__file__).parents[2]
    paths = [str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    times = []
    for _ in range(STARTS):
        began = time.perf_counter()
        command = [sys.executable, "-m", "noise2x.cli", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise ValueError(f"noise2x {arguments[0]}: {done.stderr.strip()}")
        times.append(time.perf_counter() - began)
    return float(np.median(times))


def report(name, config_name, config, found):
    """The figures of a method as lines of text."""
    size = "x".join(map(str, config.crop_shape))
    step, alone, ceiling = found["step_ms"], found["alone_ms"], found["ceiling_tflops"]
    yield f"{name} {config_name}: {config.batch_size} crops of {size}, {config.precision}"
    yield f"ceiling   {ceiling:8.2f} TFLOP/s in matrix products"
    yield (
        f"step      {step:8.1f} ms, {1e3 * config.batch_size / step:.1f} crops a second, "
        f"{found['gflop'] / step:.2f} TFLOP/s, {100 * (step / alone - 1):.0f} % more than its "
        "convolutions alone"
    )
    yield f"batches   {found['batches_ms']:8.1f} ms, {_share(found, 'batches_ms')} of a step"
    if "masking_ms" in found:
        yield f"masking   {found['masking_ms']:8.1f} ms, {_share(found, 'masking_ms')} of a step"
    for kind in ("convolution", "transposed", "kernel_gradient"):
        rate, shown = found[f"{kind}_tflops"], kind.replace("_", " ")
        yield (
            f"alone     {found[f'{kind}_ms']:8.1f} ms {shown}, {rate:.2f} TFLOP/s, "
            f"{100 * rate / ceiling:.0f} % of the ceiling"
        )
    yield from sizes_report(found)
    if "denoise_s" in found:
        yield f"start     {found['denoise_s']:8.2f} s from command to file, 512x512"
        yield f"start     {found['help_s']:8.2f} s for noise2x --help"


def sizes_report(found):
    """The figures of `sizes_figures` as lines of text."""
    for side in found["sizes"]:
        first, later, peak = (found[f"restore_{side}_{x}"] for x in ("first_s", "s", "gb"))
        width, height = parse_size(side)
        yield (
            f"restore   {later:8.3f} s for {side}, {width * height / 1e6 / later:.2f} megapixels a "
            f"second, {peak:.2f} GB, {found['restoring_precision']}; the first {first:.3f} s"
        )


def _share(found, name):
    return f"{100 * found[name] / found['step_ms']:.1f} %"


def parse_size(text):
    """(width, height) of a text such as 768x512.

    Raises:
        ValueError: another form.
    """
    sides = text.split("x")
    if len(sides) != 2 or not all(side.isdigit() and int(side) for side in sides):
        raise ValueError(f"sizes={text!r}: expected width x height, such as 768x512.")
    return int(sides[0]), int(sides[1])


def measure(method, config):
    """All figures of a method, by name."""
    from scripts.check import convolutions

    found = {"ceiling_tflops": convolutions.matrix_flops(config.precision) / 1e12}
    found |= training_figures(method, config)
    precision = FLAGS.precision
    if precision == "auto":
        precision = method.restoring_precision(config)
    restoring = dataclasses.replace(config, precision=precision)
    # Volumes, and spectra with their density, are no images that the sizes could describe.
    is_image = len(config.crop_shape) == 2 and method.name != "n2n_tf.mri"
    make = functools.partial(untrained, method.name, restoring.to_dict())
    found |= sizes_figures(make, precision) if is_image else {"sizes": []}
    if FLAGS.start and is_image and (config.noise.is_fixed or not config.takes_level):
        found["denoise_s"], found["help_s"] = start_seconds(method, restoring)
    return found


def comparison(new, old):
    """Lines with the ratio of each figure to that of an older run."""
    for name, figures in new.items():
        for figure, value in figures.items():
            before = old.get(name, {}).get(figure)
            if isinstance(value, float) and isinstance(before, (int, float)) and before:
                yield f"{name:34}{figure:26}{before:9.3f} -> {value:9.3f}  {value / before:6.2f}"


def run(arguments):
    """Measures the methods that are named and prints the figures."""
    from common.files import atomic
    from common.progress import say

    for side in FLAGS.sizes:
        parse_size(side)
    models = [name for name in arguments if name in shipped.names()]
    for name in arguments:
        if name not in models and methods.package(name) is None:
            known = [*map(methods.short_name, methods.NAMES), *shipped.names()]
            configuration.expect("method", name, known)
    chosen = [methods.find(name) for name in arguments or DEFAULT if name not in models]
    old = json.loads(pathlib.Path(FLAGS.compare).read_text()) if FLAGS.compare else {}
    everything = {}
    for name in models:
        say(f"Measuring {name} ...")
        everything[name] = shipped_figures(name)
        say("\n".join([name, *sizes_report(everything[name])]) + "\n")
    for method in chosen:
        config_name, config = chosen_config(method)
        say(f"Measuring {method.short_name} ...")
        found = measure(method, config)
        size = "x".join(map(str, (config.batch_size, *config.crop_shape)))
        everything[f"{method.short_name} {config_name} {size} {config.precision}"] = found
        say("\n".join(report(method.short_name, config_name, config, found)) + "\n")
        if FLAGS.peers and method.name in comparing.PEERS:
            times = comparing.compare(method, FLAGS.peers, FLAGS.steps, config.precision)
            everything[f"{method.short_name} peers"] = {k: v[0] for k, v in times.items()}
            say("\n".join(comparing.report(method, times)) + "\n")
    if FLAGS.json:
        with atomic.replacing(pathlib.Path(FLAGS.json)) as temporary:
            temporary.write_text(json.dumps(everything, indent=2) + "\n")
    if old:
        say("\n".join(comparison(everything, old)) or "No figure in common with the older run.")


def main():
    """Runs `noise2x benchmark`."""
    running.run(run, define_flags, __doc__, takes_arguments=True)


if __name__ == "__main__":
    main()
