"""The one fit loop: schedule, checkpoints, exact resume, log, sample pictures, progress."""

from __future__ import annotations

import csv
import pathlib
import tempfile
import typing
from collections.abc import Callable

import keras
import numpy as np

from common import configuration, progress
from common.evaluation import figures
from common.files import atomic, tables
from common.networks import normalization
from common.training import cluster, optimizers, runs

if typing.TYPE_CHECKING:
    import tensorflow as tf

    from common.networks.base import Denoiser

# batches(start) gives the data set from batch number `start` on.
Batches = Callable[[int], "tf.data.Dataset"]
# validate(denoiser) gives (figures by name, contact sheet).
Validate = Callable[["Denoiser"], tuple[dict[str, float], typing.Any]]

SUSPICIOUS = 1.5  # times the training's loss; at the end, more in the validation is said

# Statistics of batch normalisation come from so many batches, at checkpoints on the way and at the
# end. A batch takes half of the time of a step.
SETTLING_ON_THE_WAY, SETTLING_AT_LAST = 4, 32


def compile_for_training(denoiser: Denoiser, optimizer: keras.optimizers.Optimizer) -> None:
    """Gives a denoiser its optimiser, whose variables exist from then on."""
    optimizer.build(denoiser.trainable_variables)
    denoiser.compile(optimizer=optimizer, jit_compile=denoiser.jit_compile)


def fit(
    denoiser: Denoiser,
    optimizer: keras.optimizers.Optimizer,
    batches: Batches,
    config: configuration.Config,
    run_dir: str | pathlib.Path,
    *,
    validate: Validate | None = None,
    resume: bool = False,
    group: cluster.Cluster = cluster.Cluster(),  # noqa: B008  # frozen
    every: tuple[float, float],
) -> None:
    """Trains, or goes on training, and leaves a run folder.

    Stopping at any moment and resuming gives the weights of not stopping: batches depend on
    (seed, step) alone, and the state is written whole or not at all.

    Args:
        denoiser: built, not compiled.
        optimizer: Keras optimiser, its schedule in it.
        batches: `batches(start)` gives the data set from batch number `start` on.
        config: has `num_images, batch_size`.
        run_dir: folder with config.json already in it.
        validate: `validate(denoiser)` gives (dict of figures, contact sheet), or None.
        resume: continue from the folder's checkpoint.
        group: the processes that train together; one of them writes.
        every: (images between checkpoints, images between validations).

    Raises:
        ValueError: the validation gives NaN.
        runs.RunError: a checkpoint of another network, or a damaged one.
    """
    compile_for_training(denoiser, optimizer)
    run_dir = pathlib.Path(run_dir)
    with tempfile.TemporaryDirectory() as scratch:
        # Keras saves with all processes together; of what they save one copy is kept.
        output = run_dir if group.writes else pathlib.Path(scratch)
        _fit(denoiser, batches, config, run_dir, output, validate, resume, group, every)
    has = "weights, log.csv, curves.png and samples/" if validate else "weights and log.csv"
    progress.say(f"Trained: {run_dir}/ has {has}.")


def _fit(denoiser, batches, config, run_dir, output, validate, resume, group, every):
    """The same for a compiled denoiser; reads from one folder and writes to another."""
    last = config.last_step
    checkpoint_every, eval_every = every
    step, keeping = 0, {}
    if resume and runs.state_path(run_dir).is_file():
        step = runs.load_state(run_dir, denoiser)
        if config.keep == "best":
            # Which weights are best depends on when they are looked at.
            keeping = runs.load_keeping(run_dir, ("score", "checkpoint_every", "eval_every"))
            checkpoint_every = keeping.get("checkpoint_every", checkpoint_every)
            eval_every = keeping.get("eval_every", eval_every)
        if group.writes:
            for left_over in run_dir.rglob(".part-*"):  # of a process killed while it wrote
                left_over.unlink()
        if "score" not in keeping:
            runs.save_weights(output, denoiser)
        if step >= last:
            progress.say(f"{run_dir}: finished already, {last * config.batch_size} images shown.")
            return
        progress.say(f"Resuming after image {step * config.batch_size}.")
    else:
        runs.save_state(output, denoiser, 0)

    interval = min(max(1, round(checkpoint_every / config.batch_size)), last)
    if config.keep == "best":
        keeping |= {"checkpoint_every": checkpoint_every, "eval_every": eval_every}
    # The processes of a group hold their variables together, which only `fit` can compute with.
    settling = batches if group.count == 1 else None
    recorder = _Recorder(output, config, step, last, validate, eval_every, settling, keeping)
    board = keras.callbacks.TensorBoard(output, write_graph=False)
    try:
        while step < last:
            # Crops of one size, whole intervals in one call; what a stop, larger crops or the end
            # left over, in one of its own.
            end = config.crop_stage(step).end
            if denoiser.begin_stage(step) or config.crop_growth > 1:
                # A graph of its own for every size: Keras would make one for any size of those
                # made so far, which rounds otherwise, and a resumed training makes fewer. And one
                # for every stage of a method, of training and of validating.
                denoiser.train_function = denoiser.predict_function = None
            steps = min(interval - step % interval, end - step)
            count = (end - step) // interval if steps == interval else 1
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
    finally:
        recorder.progress.close()


def doubt_of(row: dict[str, float]) -> str:
    """What the last row of a log says against the model, in sentences, or ""."""
    loss, validated = row.get("loss", 0.0), row.get("val_loss", 0.0)
    doubts = []
    if validated > SUSPICIOUS * loss > 0.0:
        doubts.append(
            f"the loss on crops that were not trained on, {validated:.3g}, is far above that of "
            f"the training, {loss:.3g}. The model knows its images by heart, or has learned "
            "little; more images or a longer training help."
        )
    change, explained = row.get("val_change", 0.0), row.get("val_explained", float("inf"))
    if change > explained:
        doubts.append(
            f"restoring changes the images by {change:.3g}, more than the {explained:.3g} that "
            "their noise explains. Look at the pictures in samples/; a longer training may help."
        )
    return " ".join(doubts)


class _Recorder(keras.callbacks.Callback):
    """Writes state, log and sample pictures at the end of every interval; shows progress."""

    def __init__(self, run_dir, config, step, last, validate, eval_every, batches, keeping):
        super().__init__()
        self._keeping = keeping  # with keep=best: the score of the weights that are kept, and when
        self.saved_step = self._step = step
        self._batches = batches  # None: batch normalisation keeps its running averages
        self._last, self._run_dir, self._config = last, run_dir, config
        self._validate, self._eval_every = validate, eval_every
        self._log = Log(run_dir / "log.csv", step * config.batch_size)
        size = config.batch_size

        def share_at(step):
            return float(np.interp(step, *zip(*config.share_corners())))

        self.progress = progress.Progress(
            last * size,
            initial=step * size,
            share=lambda done: share_at(done / size) / share_at(last),
        )

    def on_train_batch_end(self, batch, logs=None):
        self._step += 1

        def figures_now():
            return "  ".join(f"{name} {float(value):.3f}" for name, value in logs.items())

        self.progress.step(self._config.batch_size, figures_now)

    def on_epoch_end(self, epoch, logs=None):
        size = self._config.batch_size
        images, before = self._step * size, self.saved_step * size
        row = {name: float(value) for name, value in logs.items()}
        is_last = self._step == self._last
        crosses = images // self._eval_every > before // self._eval_every
        self._settle(SETTLING_AT_LAST if is_last else SETTLING_ON_THE_WAY)
        if self._validate and (is_last or crosses):
            with optimizers.averaged(self.model):
                validated, sheet = self._validate(self.model)
            if any(np.isnan(validated.get(name, 0.0)) for name in ("loss", "psnr")):
                raise ValueError(
                    f"{self._run_dir}: the validation gives {validated} after image {images}; the "
                    "training went wrong. A lower --learning_rate may help."
                )
            row |= {f"val_{name}": value for name, value in validated.items()}
            logs.update(row)  # for TensorBoard, which comes next
            samples = self._run_dir / "samples"
            with atomic.replacing(samples / f"{images:09d}.png") as temporary:
                sheet.save(temporary)
            self.progress.say(
                f"image {min(images, self._config.num_images)}: "
                + "  ".join(f"{name} {value:.3f}" for name, value in row.items())
                + f"  ({samples}/{images:09d}.png)",
            )
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        self._log.append({"images": images, "learning_rate": rate, **row})
        figures.save_curves(self._log.rows, self._run_dir / "curves.png")
        better = self._config.keep == "last" or self._improves(row)
        # Last: a run that is killed before this line does the interval again, log and all.
        runs.save_state(self._run_dir, self.model, self._step, self._keeping, better)
        self.saved_step = self._step
        if is_last and (doubt := doubt_of(row)):
            self.progress.say(f"Careful: {doubt}")

    def _improves(self, row):
        """Whether the weights of this moment are to be kept: validated, and better than before."""
        score = row.get("val_psnr", -row["val_loss"] if "val_loss" in row else None)
        if score is None:
            return "score" not in self._keeping  # until a validation tells
        if score <= self._keeping.get("score", -np.inf):
            return False
        self._keeping["score"] = score
        return True

    def _settle(self, count):
        """Statistics of batch normalisation for the weights for use, of the last `count` steps."""
        if self._batches is None:
            return
        start = max(0, self._step - count)

        def seen():
            for x, _ in self._batches(start).take(self._step - start):
                yield x

        with optimizers.averaged(self.model):
            normalization.settle(self.model, seen())


class Log:
    """log.csv: a row for each interval.

    Args:
        path: of the file.
        images: how many were shown before; rows of a stopped run beyond them are dropped. A file
            that can't be read is begun anew, with a message: no training depends on it.
    """

    def __init__(self, path: pathlib.Path, images: int) -> None:
        self._path = path
        self.rows: list[dict[str, str]] = []
        if path.is_file() and images:
            try:
                with open(path, newline="") as file:
                    rows = [{k: v for k, v in row.items() if v} for row in csv.DictReader(file)]
                self.rows = [row for row in rows if int(row["images"]) <= images]
                for value in (value for row in self.rows for value in row.values()):
                    float(value)
            except (ValueError, KeyError, TypeError, csv.Error) as error:
                self.rows = []
                progress.say(
                    f"Careful: {path}: damaged ({type(error).__name__}); the log begins anew."
                )

    def append(self, row: dict[str, typing.Any]) -> None:
        """Adds a row and writes the file anew, whole or not at all."""
        self.rows.append({name: str(value) for name, value in row.items()})
        tables.write(self._path, self.rows)
