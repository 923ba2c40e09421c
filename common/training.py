"""The one fit loop: schedule, checkpoints, exact resume, log, sample pictures, progress."""

import csv
import pathlib
import tempfile
import time

import keras
import numpy as np

from common import cluster, figures, files, optimizers, runs, schedules


def total_steps(config):
    """Optimiser steps. The original takes one more, at rate 0, which changes no weight."""
    return -(-config.num_images // config.batch_size)


def ramped_adam(config, **ramps):
    """The optimiser of Laine et al. 2019: Adam under a learning rate ramped up and down.

    ramps: ramp_up, ramp_down, shares of the training, of schedules.Ramped.
    """
    rate = schedules.Ramped(
        num_images=config.num_images,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        **ramps,
    )
    return optimizers.Adam(rate)


def compile_for_training(denoiser, optimizer):
    """Gives a denoiser its optimiser, whose variables exist from then on."""
    optimizer.build(denoiser.trainable_variables)
    denoiser.compile(optimizer=optimizer, jit_compile=denoiser.jit_compile)


def fit(
    denoiser,
    optimizer,
    batches,
    config,
    run_dir,
    *,
    validate=None,
    resume=False,
    group=cluster.Cluster(),  # noqa: B008  # frozen
    every,
):
    """Trains, or goes on training, and leaves a run folder.

    Stopping at any moment and resuming gives the weights of not stopping: batches depend on
    (seed, step) alone, and the state is written whole or not at all.

    Args:
        denoiser: `denoiser.Denoiser`, built, not compiled.
        optimizer: Keras optimiser, its schedule in it.
        batches: `batches(start)` gives the data set from batch number `start` on.
        config: has `num_images, batch_size`.
        run_dir: folder with config.json already in it.
        validate: `validate(denoiser)` gives (dict of figures, contact sheet), or None.
        resume: continue from the folder's checkpoint.
        group: the processes that train together; one of them writes.
        every: (images between checkpoints, images between validations).
    """
    compile_for_training(denoiser, optimizer)
    run_dir = pathlib.Path(run_dir)
    with tempfile.TemporaryDirectory() as scratch:
        # Keras saves with all processes together; of what they save one copy is kept.
        output = run_dir if group.writes else pathlib.Path(scratch)
        _fit(denoiser, batches, config, run_dir, output, validate, resume, group, every)
    has = "weights, log.csv, curves.png and samples/" if validate else "weights and log.csv"
    print(f"Trained: {run_dir}/ has {has}.", flush=True)


def _fit(denoiser, batches, config, run_dir, output, validate, resume, group, every):
    """The same, of a compiled denoiser; reads from one folder and writes to another."""
    last = total_steps(config)
    checkpoint_every, eval_every = every
    interval = min(max(1, round(checkpoint_every / config.batch_size)), last)

    step = 0
    if resume and runs.state_path(run_dir).is_file():
        step = runs.load_state(run_dir, denoiser)
        if group.writes:
            for left_over in run_dir.rglob(".part-*"):  # of a process killed while it wrote
                left_over.unlink()
        runs.save_weights(output, denoiser)
        if step >= last:
            print(f"{run_dir}: finished already, {config.num_images} images shown.", flush=True)
            return
        print(f"Resuming after image {step * config.batch_size}.", flush=True)
    else:
        runs.save_state(output, denoiser, 0)

    recorder = _Recorder(output, config, step, last, validate, eval_every)
    board = keras.callbacks.TensorBoard(output, write_graph=False)
    try:
        while step < last:
            # Whole intervals in one call; what a stop or the end left over in one of its own.
            steps = min(interval - step % interval, last - step)
            count = (last - step) // interval if steps == interval else 1
            first_epoch = -(-step // interval)
            denoiser.fit(
                group.share(batches(step)),
                steps_per_epoch=steps,
                initial_epoch=first_epoch,
                epochs=first_epoch + count,
                shuffle=False,
                verbose=0,
                callbacks=[recorder, board],
            )
            step += steps * count
    except KeyboardInterrupt:
        done = recorder.saved_step * config.batch_size
        print(f"\nStopped. The checkpoint after image {done} is complete: go on with --resume.")
        raise


class _Recorder(keras.callbacks.Callback):
    """Writes state, log and sample pictures at the end of every interval; shows progress."""

    PROGRESS_SECONDS = 10.0

    def __init__(self, run_dir, config, step, last, validate, eval_every):
        super().__init__()
        self.saved_step = self._step = self._first = step
        self._last, self._run_dir, self._config = last, run_dir, config
        self._validate, self._eval_every = validate, eval_every
        self._log = Log(run_dir / "log.csv", step * config.batch_size)
        self._began = time.monotonic()
        self._shown = -np.inf

    def on_train_batch_end(self, batch, logs=None):
        self._step += 1
        now = time.monotonic()
        if now - self._shown >= self.PROGRESS_SECONDS or self._step == self._last:
            self._shown = now
            self._show(logs, now)

    def _show(self, logs, now):
        size, total = self._config.batch_size, self._config.num_images
        shown = min(self._step * size, total)
        rate = (self._step - self._first) / (now - self._began)
        figures_now = "  ".join(f"{name} {float(value):.3f}" for name, value in logs.items())
        minutes = (self._last - self._step) / rate / 60
        print(
            f"image {shown} of {total} ({100 * shown / total:.0f} %)  {figures_now}  "
            f"{rate * size:.2f} images/s  {minutes:.1f} min left",
            flush=True,
        )

    def on_epoch_end(self, epoch, logs=None):
        size = self._config.batch_size
        images, before = self._step * size, self.saved_step * size
        row = {name: float(value) for name, value in logs.items()}
        is_last = self._step == self._last
        crosses = images // self._eval_every > before // self._eval_every
        if self._validate and (is_last or crosses):
            found, sheet = self._validate(self.model)
            if any(np.isnan(found.get(name, 0.0)) for name in ("loss", "psnr")):
                raise ValueError(
                    f"{self._run_dir}: the validation gives {found} after image {images}; the "
                    "training went wrong. A lower --learning_rate may help."
                )
            row |= {f"val_{name}": value for name, value in found.items()}
            logs.update(row)  # for TensorBoard, which comes next
            samples = self._run_dir / "samples"
            with files.replacing(samples / f"{images:09d}.png") as temporary:
                sheet.save(temporary)
            print(
                f"image {min(images, self._config.num_images)}: "
                + "  ".join(f"{name} {value:.3f}" for name, value in row.items())
                + f"  ({samples}/{images:09d}.png)",
                flush=True,
            )
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        self._log.append({"images": images, "learning_rate": rate, **row})
        figures.save_curves(self._log.rows, self._run_dir / "curves.png")
        # Last: a run that is killed before this line does the interval again, log and all.
        runs.save_state(self._run_dir, self.model, self._step)
        self.saved_step = self._step


class Log:
    """log.csv: a row an interval; a resumed run drops what lay ahead of it."""

    def __init__(self, path, images):
        self._path = path
        self.rows = []
        if path.is_file() and images:
            with open(path, newline="") as file:
                rows = ({k: v for k, v in row.items() if v} for row in csv.DictReader(file))
                self.rows = [row for row in rows if int(row["images"]) <= images]

    def append(self, row):
        self.rows.append({name: str(value) for name, value in row.items()})
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        with files.replacing(self._path) as path, open(path, "w", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(self.rows)


def announce(run_dir, config, image_set, is_short, group):
    """Says what is going to be trained, on what, how long, and in how many processes."""
    print(
        f"Training on {len(image_set)} images of {image_set.name}: {config.num_images} crops "
        f"of {'x'.join(map(str, config.crop_shape))}, {config.batch_size} a step. "
        f"Run folder: {run_dir}",
        flush=True,
    )
    if group.count > 1:
        print(
            f"Process {group.index} of {group.count}, each with its share of a step. No validation "
            "on the way: `evaluate` does it afterwards.",
            flush=True,
        )
    if is_short:
        print(
            "What comes with the project has a short schedule, minutes on two CPU cores; "
            "with --train_set=... it is the paper's.",
            flush=True,
        )
