"""common.configuration: noises are parsed once, None is filled in, what can't be is refused."""

import dataclasses

import pytest

from common import configuration, crop_stages, noise, processor
from common.configuration import Config, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wide(Config):
    width: int = setting(8, "Features.", positive=True)


def test_a_noise_string_becomes_a_noise_and_is_written_as_a_string():
    config = Config(noise="gauss5_50", validation_noise="gauss25")
    assert config.noise == noise.Gauss(5, 50)
    assert config.to_dict()["noise"] == "gauss5_50"
    assert Config(**config.to_dict()) == config
    assert Config(noise=noise.Gauss(5, 50), validation_noise=noise.Gauss(25, 25)) == config


def test_what_is_none_follows_from_the_other_settings():
    config = Config().completed(num_images=10)
    assert (config.validation_set, str(config.validation_noise)) == ("sample", "gauss25")
    own = Config(white_level=4095.0, train_set="mine").completed(num_images=10)
    assert own.validation_set == "mine"
    assert Config(num_images=7).completed(num_images=10).num_images == 7


class TestSchedule:
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Fast(Config):
        FAST_RATE = 1e-3
        NOISES = noise.MODELS

    def completed(self, **settings):
        return self.Fast(batch_size=4, **settings).completed(num_images=4000)

    def test_it_is_the_papers_unless_the_files_are_ones_own(self):
        papers, own = self.completed(), self.completed(noise="none")
        assert (papers.schedule, papers.learning_rate) == ("paper", 3e-4)
        assert (own.schedule, own.learning_rate) == ("fast", 1e-3)
        assert self.completed(noise="none", schedule="paper").learning_rate == 3e-4

    def test_long_trainings_have_a_lower_rate_by_the_root_of_their_length(self):
        assert self.completed(schedule="fast", num_images=32_000).learning_rate == 1e-3
        assert self.completed(schedule="fast", num_images=4 * 32_000).learning_rate == 5e-4
        given = self.completed(schedule="fast", num_images=4 * 32_000, learning_rate=2e-3)
        assert given.learning_rate == 2e-3

    def test_a_method_without_one_refuses_it(self):
        assert Config(noise="gauss25").completed(num_images=10).schedule == "paper"
        with pytest.raises(ValueError, match="schedule='fast': this method has only the paper's"):
            Config(schedule="fast")


def test_equal_settings_are_the_same_whatever_they_were_made_from():
    assert configuration.same_settings(Wide(noise="gauss25"), Wide(noise=noise.Gauss(25, 25)))
    assert not configuration.same_settings(Wide(), Wide(width=9))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"noise": "gaus25"}, "noise='gaus25': expected gauss, poisson"),
        ({"validation_noise": "stripes5"}, "validation_noise='stripes5': expected gauss"),
        ({"noise": noise.NoNoise()}, "noise='none': expected gauss"),
        ({"channels": 2}, "channels=2: expected 1, 3"),
        ({"precision": "half"}, "precision='half': expected float32, bfloat16"),
        ({"crop_size": 50}, "crop_size=50: expected a multiple of 32"),
        ({"width": 0}, "width=0: expected more than 0"),
        ({"width": 2.5}, "width=2.5: expected int"),
        ({"batch_size": True}, "batch_size=True: expected int"),
        ({"learning_rate": float("nan")}, "learning_rate=nan: expected a finite number"),
        ({"num_images": 3}, "num_images=3: expected at least one batch"),
        ({"seed": -1}, "seed=-1: expected 0 to"),
        ({"white_level": -1.0}, "white_level=-1.0: expected 0 or more"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_these_words(settings, message):
    with pytest.raises(ValueError, match=message):
        Wide(**settings)


class Growing(Config):
    CROP_GROWTHS = (1, 2, 4)
    FAST_CROP_GROWTH = 4
    FAST_RATE = 1e-3


@pytest.mark.parametrize("growth", [1, 2, 4])
@pytest.mark.parametrize("steps", [1, 3, 14, 31, 32, 1000])
def test_stages_of_growing_crops_cover_every_training(steps, growth):
    settings = {"crop_growth": growth, "schedule": "fast", "batch_size": 4, "crop_size": 32}
    config = Growing(num_images=4 * steps - (steps > 1), **settings).completed()
    stages = config.crop_stages()
    ends = [stage.end for stage in stages]
    assert ends == sorted(set(ends)) and ends[-1] == steps and stages[-1].share == 1.0
    factors = [config.crop_stage(step).factor for step in range(steps)]
    assert factors == sorted(factors) and factors[0] == 1
    if steps == 1000:
        shown = [factors.count(factor) * factor**2 for factor in (1, 2, 4)]
        expected = [share for share, _ in crop_stages.STAGES[growth]]
        found = [pixels / sum(shown) for pixels in shown if pixels]
        assert found == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("crop_size, growth", [(32, 4), (64, 4), (128, 2), (160, 1), (256, 1)])
def test_the_fast_schedule_grows_to_crops_that_fit_into_memory(crop_size, growth):
    config = Growing(schedule="fast", crop_size=crop_size, num_images=100)
    assert config.completed().crop_growth == growth


def test_crops_grow_only_where_they_can():
    with pytest.raises(ValueError, match="crop_growth=2: expected 1"):
        Config(crop_growth=2)
    with pytest.raises(ValueError, match="paper's schedule has crops of one size"):
        Growing(crop_growth=2, schedule="paper")
    with pytest.raises(ValueError, match="paper's schedule has crops of one size"):
        Growing(crop_growth=2, num_images=100).completed()


@pytest.mark.parametrize(
    "known, precision, doubted",
    [
        ("flags : avx2 avx512_bf16 amx_bf16", "bfloat16", False),
        ("Features : asimd bf16 i8mm", "bfloat16", False),
        ("flags : avx2 fma", "bfloat16", True),
        ("flags : avx2 fma", "float32", False),
        ("", "bfloat16", False),  # not Linux: nothing is known
    ],
)
def test_bfloat16_on_a_processor_without_it_is_doubted(known, precision, doubted, monkeypatch):
    monkeypatch.setattr(processor, "_cpuinfo", lambda: known)
    assert bool(processor.doubt_of_precision(precision)) == doubted
