"""`train`: from flags to a run folder."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import pathlib
import typing
from collections.abc import Callable, Iterator

from common import configuration, processor, progress
from common.commands import flags, running
from common.method import Method
from common.training import runs

if typing.TYPE_CHECKING:
    import keras

    from common.data.image_sets import ImageSet
    from common.networks.base import Denoiser
    from common.training.cluster import Cluster
    from common.training.loop import Batches

FLAGS = flags.FLAGS


@dataclasses.dataclass(frozen=True)
class TrainingRun:
    """What `train` was asked for: a new run, or one to resume.

    Attributes:
        method: what is trained.
        config: its configuration.
        run_dir: the run folder.
        fingerprint: of the images that a resumed run has seen; "" for a new one.
        is_short: whether it has the short schedule of the images that come with the project.
        group: the processes that train together.
    """

    method: Method
    config: typing.Any
    run_dir: pathlib.Path
    fingerprint: str
    is_short: bool
    group: Cluster

    def images(self) -> ImageSet:
        """The training images, the same that a resumed run has seen; a look at noisy ones first.

        Raises:
            runs.RunError: other images.
        """
        images = self.method.training_images(self.config, FLAGS.data_dir, FLAGS.max_images)
        if self.method.inspects_files and self.config.noise.is_none:
            inspect(self.method, self.config, images)
        if self.fingerprint and self.fingerprint != self._fingerprint_of(images):
            raise runs.RunError(
                f"{self.run_dir}: was trained on other images of {images.name}; a resumed run "
                "needs the same ones (--max_images, --data_dir, files added or removed; fonts of "
                "text)."
            )
        return images

    def _fingerprint_of(self, images: ImageSet) -> str:
        return images.fingerprint() + self.config.noise.fingerprint()

    def fit(
        self,
        denoiser: Denoiser,
        optimizer: keras.optimizers.Optimizer,
        batches: Batches,
        images: ImageSet,
    ) -> None:
        """Trains a denoiser, see loop.fit.

        Args:
            denoiser: of `Method.build`.
            optimizer: of `Method.optimizer`.
            batches: `batches(start)` gives the data set from batch number `start` on.
            images: of `images`.
        """
        from common.training import locks, loop

        validate = None
        if self.group.count == 1:
            validate = self.method.validator(self.config, images, FLAGS.data_dir)
        if self.config.model and not (FLAGS.resume and runs.state_path(self.run_dir).is_file()):
            self._begin_with(denoiser)
        next(iter(batches(0)))  # what is wrong with the data shows before a run folder is made
        # Of processes that train together, the one that writes holds the folder.
        with locks.held(self.run_dir) if self.group.writes else contextlib.nullcontext():
            if self.group.writes:
                if not FLAGS.resume:
                    _refuse_second_run(self.run_dir)  # one begun since the settings were read
                fingerprint = self._fingerprint_of(images)
                runs.save_config(self.run_dir, self.method.name, self.config, fingerprint)
            self._announce(images)
            loop.fit(
                denoiser,
                optimizer,
                batches,
                self.config,
                self.run_dir,
                validate=validate,
                resume=FLAGS.resume,
                group=self.group,
                every=(
                    FLAGS.checkpoint_every or self.config.num_images / 20,
                    FLAGS.eval_every or self.config.num_images / 10,
                ),
            )

    def _begin_with(self, denoiser: Denoiser) -> None:
        """Gives a new denoiser the weights of the model that the configuration names.

        Raises:
            ValueError: of another method or another network.
        """
        name = self.config.model
        other = self.method.load(name)
        try:
            taken = denoiser.begin_with(other)
        except ValueError as error:
            ours, theirs = self.config.to_dict(), other.config.to_dict()
            # Settings of all methods, but for the channels, do not change a network.
            shared = {field.name for field in dataclasses.fields(configuration.Config)}
            of_network = [k for k in ours if k == "channels" or k not in shared]
            differing = [f"--{k}={theirs[k]}" for k in of_network if ours[k] != theirs[k]]
            how = f" It was trained with {' '.join(differing)}." if differing else ""
            raise ValueError(f"model={name!r}: {error}.{how}") from error
        total = denoiser.count_params()
        rest = "" if taken == total else f" The other {total - taken:,} are new."
        progress.say(f"Begins with {taken:,} weights of {name}.{rest}")

    def _announce(self, images: ImageSet) -> None:
        """Prints what is going to be trained, on what, how long, and in how many processes."""
        config = self.config
        size = "x".join(map(str, config.crop_shape))
        if config.crop_growth > 1:
            size += f" that grow to {config.crop_growth} times that"
        progress.say(
            f"Training on {len(images)} images of {images.name}: "
            f"{min(config.num_images, config.last_step * config.batch_size)} crops "
            f"of {size}, {config.batch_size} in a step."
        )
        if doubt := processor.doubt_of_precision(config.precision):
            progress.say(f"Careful: {doubt}")
        if self.group.count > 1:
            progress.say(
                f"Process {self.group.index} of {self.group.count}, each with its share of a step. "
                "There is no validation during the training: run `evaluate` afterwards."
            )
            if config.schedule == "fast" and getattr(config, "batch_norm", False):
                progress.say(
                    "Careful: in several processes batch normalisation keeps running averages, "
                    "which lag behind the averaged weights; --schedule=paper suits it better."
                )
        if self.is_short:
            progress.say(
                "With the images that come with the project the training is short, minutes on two "
                "CPU cores; with --train_set=... it has the paper's length."
            )


def train(method: Method, doc: str, way: Callable[[TrainingRun], None]) -> None:
    """Runs `python -m <method>.train`.

    Args:
        method: what to train.
        doc: the module's docstring, shown by --help.
        way: does the training: images, batches, denoiser, fit.
    """
    define = functools.partial(flags.define_training, method)
    running.run(lambda: _train(method, way), define, doc)


def _train(method, way):
    if FLAGS.list_configs:
        print("\n".join(method.named))
        return
    if method.inspects_files and FLAGS.check_only:
        _check(method)
        return
    from common.training import cluster

    group = cluster.parse(FLAGS.cluster)
    if group.count > 1:
        flags.require("run_dir")
    with _run_folder(method) as run_dir:
        config, fingerprint, is_short = _settings(method, run_dir, group)
        group.join(config.batch_size)
        way(TrainingRun(method, config, run_dir, fingerprint, is_short, group))


@contextlib.contextmanager
def _run_folder(method: Method) -> Iterator[pathlib.Path]:
    """Yields the folder of --run_dir, or else the one to resume or a new one, and prints it."""
    made = run_dir = None
    if FLAGS.run_dir:
        run_dir = pathlib.Path(FLAGS.run_dir)
    else:
        config, _ = flags.read_config(method)
        if FLAGS.resume:
            run_dir = runs.newest_to_resume(method.name, config)
        if run_dir is None:
            run_dir = made = runs.make_folder(f"{method.short_name}-{config.label()}")
    progress.say(f"Run folder: {run_dir}")
    try:
        yield run_dir
    finally:
        if made is not None:
            with contextlib.suppress(OSError):  # both are empty if nothing was begun
                made.rmdir()
                made.parent.rmdir()


def _settings(method, run_dir, group):
    """(config, fingerprint of the images, whether short) of a new run, or of the one to resume."""
    has_run = (run_dir / "config.json").exists()
    if not group.writes and not FLAGS.resume:
        has_run = False  # the first process is just making it
    if has_run and not FLAGS.resume:
        _refuse_second_run(run_dir)
    if not has_run:
        if FLAGS.resume:
            progress.say(f"{run_dir}: nothing to resume, starting afresh.")
        config, is_short = flags.read_config(method)
        return config, "", is_short
    config, fingerprint = method.load_config(run_dir)
    changed = dataclasses.replace(config, **flags.config_flags(config))
    for name, value in changed.to_dict().items():
        if value != config.to_dict()[name] and name not in config.RESUMES_WITH:
            raise runs.RunError(
                f"{run_dir}: was started with {name}={config.to_dict()[name]!r}, not {value!r}; "
                "a resumed run keeps its settings."
            )
    done = runs.trained_steps(run_dir)
    if done is not None and done > changed.last_step:
        raise runs.RunError(
            f"{run_dir}: has been trained for {done * config.batch_size} crops, beyond what these "
            f"settings ask for; leave out {', '.join(f'--{name}' for name in config.RESUMES_WITH)}."
        )
    return changed, fingerprint, False


def _refuse_second_run(run_dir):
    """Raises RunError if a folder has a run."""
    if (run_dir / "config.json").exists():
        raise runs.RunError(f"{run_dir}: has a run already; --resume continues it.")


def _check(method):
    """Reports what is unusual about the images that a training would see, or that one saw.

    Of a finished run, what flags do not say is as it was in its training.
    """
    # The folder may be that of the training that is planned.
    trained = FLAGS.run_dir if FLAGS.run_dir and runs.is_finished(FLAGS.run_dir) else None
    if trained:
        config, _ = method.load_config(trained)
        config = dataclasses.replace(config, **flags.config_flags(config))
    else:
        config, _ = flags.read_config(method)
    if not config.noise.is_none:
        hint = f" {FLAGS.run_dir}: no finished training." if FLAGS.run_dir and not trained else ""
        raise ValueError(
            f"check_only is for images that are noisy already; noise='{config.noise}' adds "
            f"some.{hint}"
        )
    from common.data import pipeline

    images = method.load_images(config, FLAGS.data_dir, FLAGS.max_images)
    images = pipeline.of_channels(images, config.channels)
    inspect(method, config, images)
    lines = method.without_training(config, images, trained)
    if lines and FLAGS.run_dir and not trained:
        lines.append(f"{FLAGS.run_dir}: no finished training, so nothing to compare with.")
    for line in lines:
        progress.say(line)


def inspect(method: Method, config: typing.Any, images: ImageSet) -> None:
    """Prints what an expert would say about noisy images before a training."""
    from common.evaluation import inspection

    advise = functools.partial(method.advise, config)
    progress.say("\n".join(inspection.report(images, method.own_files(config), advise)))
