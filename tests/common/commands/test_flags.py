"""common.commands.flags: which configuration the flags describe."""

import functools

import pytest
from absl import flags as absl_flags

from common.commands import flags
from n2v_tf.method import METHOD as N2V
from ssdn_tf.method import METHOD as SSDN


@pytest.fixture
def read(monkeypatch):
    """Reads the configuration of a method from flags, in a set of flags of its own."""

    kinds = ("string", "bool", "integer", "float", "enum", "list", "multi_string")
    originals = {f"DEFINE_{kind}": getattr(absl_flags, f"DEFINE_{kind}") for kind in kinds}

    def read(method, *arguments):
        values = absl_flags.FlagValues()
        for name, define in originals.items():
            into = functools.partial(define, flag_values=values)
            monkeypatch.setattr(flags.flags, name, into)
        monkeypatch.setattr(flags, "FLAGS", values)
        flags.define_training(method)
        values(["train", *arguments])
        return flags.read_config(method)

    return read


def test_without_flags_it_is_the_default_with_its_short_schedule(read):
    config, is_short = read(SSDN)
    assert is_short
    assert {name: getattr(config, name) for name in SSDN.short} == dict(SSDN.short)
    assert str(config.noise) == "gauss25" and config.validation_set == "sample"


def test_another_set_takes_the_papers_schedule(read):
    config, is_short = read(SSDN, "--train_set=kodak")
    assert not is_short
    assert (config.num_images, config.crop_size, config.batch_size) == (2_000_000, 256, 4)


def test_flags_win_over_the_short_schedule_and_the_named_configuration(read):
    config, is_short = read(SSDN, "--crop_size=96", "--noise=poisson30")
    assert is_short and config.crop_size == 96 and config.num_images == SSDN.short["num_images"]
    assert str(config.noise) == str(config.validation_noise) == "poisson30"
    config, _ = read(SSDN, "--config=impulse50-n2c", "--seed=3")
    assert (str(config.noise), config.pipeline, config.seed) == ("impulse50", "n2c", 3)


def test_what_a_named_configuration_sets_itself_stays(read):
    config, is_short = read(N2V, "--config=n2v-3d", "--data_path=x", "--dims=ZYX")
    assert not is_short and config.crop_depth == 16
    config, is_short = read(N2V, "--config=n2v-bsd68")
    assert is_short and config.kernel_size == 3 and config.width == 96  # its own, not the short's


def test_files_of_ones_own_take_the_long_schedule(read):
    config, is_short = read(N2V, "--data_path=cells.tif")
    assert not is_short and config.num_images == 100 * 400 * 16


def test_an_unknown_configuration_gets_a_suggestion(read):
    with pytest.raises(ValueError, match="is not known; did you mean gauss25-blindspot-sigma_k"):
        read(SSDN, "--config=gauss25-blindspot-sigma_knwn")
    with pytest.raises(ValueError, match="is not known; --list_configs shows all"):
        read(SSDN, "--config=zzz")


def test_help_texts_name_units_defaults_and_the_short_schedule(read):
    read(SSDN)
    help_of = {name: flags.FLAGS[name].help for name in flags.FLAGS}
    own = ("noise", "channels", "batch_size", "crop_size", "seed", "run_dir", "resume", "config")
    assert help_of["crop_size"].endswith("[256; with train_set=sample 64]")
    assert "runs/00003-ssdn-gauss25-blindspot-sigma_known" in help_of["run_dir"]
    assert all(text and not text[0].islower() for name, text in help_of.items() if name in own)
