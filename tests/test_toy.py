"""docs/adding_a_method.md is true: a toy noise and a toy method go through every command.

Both are defined here, through the public classes alone.
"""

import dataclasses
import sys
import typing

import keras
import numpy as np
import pytest

from common import commands, configuration
from common.commands.flags import FLAGS
from common.configuration import setting
from common.files import image_files
from common.method import Method, Paper
from common.networks import base, losses
from common.noise import Noise

RNG = np.random.default_rng(0)


@dataclasses.dataclass(frozen=True)
class Stripes(Noise):
    """Every row is brighter or darker than it should be, by a normal draw."""

    NAME: typing.ClassVar[str] = "stripes"
    UNIT: typing.ClassVar[str] = "sigma of the rows in 8-bit units"
    SCALE: typing.ClassVar[float] = 255.0

    def add(self, clean, level, seed):
        import tensorflow as tf

        rows = tf.random.stateless_normal((tf.shape(clean)[0], 1, 1), seed, dtype=clean.dtype)
        return clean + level * rows


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(configuration.Config):
    NOISES: typing.ClassVar[tuple] = (*configuration.Config.NOISES, Stripes)

    noise: Noise | None = setting("stripes10_30", "Noise to add, as stripes20.", Noise)
    width: int = setting(4, "Features of the network.", positive=True)

    def completed(self):
        return super().completed(num_images=1000)


class Denoiser(base.Denoiser):
    """One hidden layer."""

    def __init__(self, config):
        super().__init__(config, name="toy")
        image = keras.Input((None, None, config.channels))
        seeds = keras.random.SeedGenerator(config.seed)
        kernel = keras.initializers.GlorotUniform(seeds)
        features = keras.layers.Conv2D(
            config.width, 3, padding="same", activation="relu", kernel_initializer=kernel
        )(image)
        restored = keras.layers.Conv2D(
            config.channels, 1, kernel_initializer=keras.initializers.GlorotUniform(seeds)
        )(features)
        self.network = keras.Model(image, restored)

    @property
    def radius(self):
        return 1

    @property
    def bytes_per_pixel(self):
        return 100

    def restore(self, inputs, run, training):
        return {"denoised": run(self.network, inputs["noisy"], padding="reflect")}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return losses.mean_square(y_pred["denoised"], y["target"])


class Toy(Method):
    name = "toy"
    summary = "itself"
    paper = Paper("Nobody: A toy, 2026", "10.0/0")
    named = {"toy": Config()}
    default = "toy"
    short = {"num_images": 40, "batch_size": 4, "crop_size": 32}

    def build(self, config, images=None):
        return Denoiser(config)


METHOD = Toy()


def train(run):
    images = run.images()
    model = METHOD.build(run.config, images)
    batches = lambda start: METHOD.batches(images, run.config, start)  # noqa: E731
    run.fit(model, METHOD.optimizer(run.config), batches, images)


COMMANDS = {
    "train": lambda: commands.train(METHOD, "Trains a toy.", train),
    "evaluate": lambda: commands.evaluate(METHOD, "Scores a toy."),
    "denoise": lambda: commands.denoise(METHOD, "Restores with a toy."),
    "export": lambda: commands.export(METHOD, "Exports a toy."),
}


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """Runs a command of the toy in this process, as its entry point would; gives what it prints."""
    monkeypatch.chdir(tmp_path)

    def run(command, *arguments):
        defined = {name: FLAGS[name] for name in FLAGS}
        monkeypatch.setattr(sys, "argv", [f"toy.{command}", *arguments])
        try:
            COMMANDS[command]()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        finally:
            for name in set(FLAGS) - set(defined):
                delattr(FLAGS, name)
            FLAGS.unparse_flags()
        printed = capsys.readouterr()
        assert code == 0, printed.err
        return printed.out

    return run


def test_a_toy_method_trains_evaluates_denoises_and_exports(run, tmp_path):
    assert "stripes10_30" in run("train", "--help")
    run("train", "--noise=stripes20")
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name == "00000-toy-stripes20"
    assert '"noise": "stripes20"' in (folder / "config.json").read_text()
    scores = run("evaluate", "--max_images=1", "--baselines=noisy")
    assert "RESULT dataset=sample noise=stripes20 images=1 psnr=" in scores
    image_files.write(tmp_path / "a.png", RNG.integers(0, 255, (20, 33, 3), np.uint8))
    run("denoise", "a.png")
    assert image_files.read_one(tmp_path / "a-denoised.png").shape == (20, 33, 3)
    run("export")
    assert (tmp_path / "models" / "toy" / "1" / "saved_model.pb").is_file()


def test_a_toy_noise_is_parsed_drawn_and_refused_where_it_is_not_known():
    import tensorflow as tf

    noise = Config.parse_noise("stripes20")
    assert noise == Stripes(20, 20) and str(noise) == "stripes20"
    noisy = noise.corrupt(tf.zeros((64, 8, 3)), noise.fixed_level(), tf.constant([1, 2])).numpy()
    assert noisy.std() == pytest.approx(20 / 255, rel=0.3)
    assert (noisy == noisy[:, :1, :1]).all()
    with pytest.raises(ValueError, match="noise='stripes20': expected gauss"):
        configuration.Config(noise="stripes20")
