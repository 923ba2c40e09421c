"""common.runs: what is written comes back, and what is damaged is named."""

import concurrent.futures
import dataclasses
import json
import os
import resource

import keras
import numpy as np
import pytest

from common.training import optimizers, runs
from ssdn_tf import configs, denoiser

CONFIG = configs.Config(channels=1, noise_params="global")


def model(seed=0):
    made = denoiser.Denoiser(configs.Config(channels=1, noise_params="global", seed=seed))
    optimizer = optimizers.Adam(1e-3)
    optimizer.build(made.trainable_variables)
    made.compile(optimizer=optimizer)
    return made


def test_configuration_there_and_back(tmp_path):
    runs.save_config(tmp_path, "ssdn_tf", CONFIG, "abc")
    loaded, data = runs.load_config(tmp_path, "ssdn_tf", configs.Config)
    assert (loaded, data) == (CONFIG.completed(), "abc")


def test_a_run_of_another_method_is_refused(tmp_path):
    runs.save_config(tmp_path, "n2n_tf", CONFIG)
    with pytest.raises(runs.RunError, match="a run of n2n_tf, not of ssdn_tf"):
        runs.load_config(tmp_path, "ssdn_tf", configs.Config)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not a run's configuration"),
        ("[1, 2]", "not a run's configuration"),
        ('{"method": "ssdn_tf"}', "not a run's configuration"),
        ('{"method": "ssdn_tf", "config": {"colour": 1}}', "unknown settings colour"),
        ('{"method": "ssdn_tf", "config": {"noise": "x"}}', "noise='x': expected"),
        ('{"method": "ssdn_tf", "config": {"crop_size": "big"}}', "crop_size='big': expected int"),
        ('{"method": "ssdn_tf", "config": {"train_set": 5}}', "train_set=5: expected str"),
    ],
)
def test_a_damaged_configuration_is_named(tmp_path, text, message):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(runs.RunError, match=message):
        runs.load_config(tmp_path, "ssdn_tf", configs.Config)


def test_state_and_weights_come_back_with_the_optimizer(tmp_path):
    saved = model(seed=1)
    for i, variable in enumerate(saved.optimizer.variables[2:]):
        variable.assign(np.full(variable.shape, i, np.float32))
    saved.optimizer.iterations.assign(7)
    runs.save_state(tmp_path, saved, 7)
    loaded = model(seed=2)
    assert runs.load_state(tmp_path, loaded) == 7
    for a, b in zip(saved.variables, loaded.variables):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(saved.optimizer.variables, loaded.optimizer.variables):
        np.testing.assert_array_equal(a, b)
    weights_only = model(seed=3)
    runs.load_weights(tmp_path, weights_only)
    image = np.random.default_rng(0).random((1, 32, 32, 1), np.float32)
    np.testing.assert_array_equal(saved(image)["denoised"], weights_only(image)["denoised"])


def test_damaged_weights_are_always_a_run_error(tmp_path):
    runs.save_weights(tmp_path, model())
    path = tmp_path / "weights.weights.h5"
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(15):
        damaged = bytearray(whole)
        for position in rng.integers(0, 20_000, 40):
            damaged[position] ^= 0xFF
        path.write_bytes(damaged)
        try:
            runs.load_weights(tmp_path, model())
        except runs.RunError as error:
            refused += 1
            assert "weights.weights.h5" in str(error)
    assert refused > 5


def test_a_checkpoint_with_an_unknown_compression_is_a_run_error(tmp_path):
    """Two flipped bits; Python's zipfile raises NotImplementedError."""
    runs.save_state(tmp_path, model(), 1)
    path = runs.state_path(tmp_path)
    whole = bytearray(path.read_bytes())
    at = whole.rindex(b"PK\x01\x02") + 10  # compression of the last array, in the directory
    whole[at] ^= 0x63
    path.write_bytes(whole)
    with pytest.raises(runs.RunError, match="state.npz: damaged"):
        runs.load_state(tmp_path, model())


@pytest.mark.parametrize("keep", [0, 100, 0.5])
def test_truncated_files_are_named(tmp_path, keep):
    runs.save_state(tmp_path, model(), 1)
    for path in (runs.state_path(tmp_path), tmp_path / "weights.weights.h5"):
        size = path.stat().st_size
        path.write_bytes(path.read_bytes()[: int(keep * size) if keep < 1 else keep])
    with pytest.raises(runs.RunError, match="state.npz: damaged"):
        runs.load_state(tmp_path, model())
    with pytest.raises(runs.RunError, match="weights.weights.h5: not this model's"):
        runs.load_weights(tmp_path, model())


def test_files_of_another_network_are_refused(tmp_path):
    runs.save_state(tmp_path, model(), 1)
    other = denoiser.Denoiser(configs.Config(channels=3))
    other.compile(optimizer=keras.optimizers.Adam())
    with pytest.raises(runs.RunError, match="state.npz: (damaged|not this model's checkpoint)"):
        runs.load_state(tmp_path, other)
    with pytest.raises(runs.RunError, match="not this model's weights"):
        runs.load_weights(tmp_path, other)


def test_pickles_are_not_loaded(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (tmp_path.joinpath("exploded").write_text, ("x",))

    runs.state_path(tmp_path).parent.mkdir()
    np.savez(runs.state_path(tmp_path), step=np.array([Bomb()], dtype=object))
    with pytest.raises(runs.RunError, match="state.npz: (damaged|not this model's checkpoint)"):
        runs.load_state(tmp_path, model())
    assert not (tmp_path / "exploded").exists()


def test_a_missing_run_or_one_without_weights_says_so(tmp_path):
    with pytest.raises(runs.RunError, match="no config.json"):
        runs.load_config(tmp_path / "nothing", "ssdn_tf", configs.Config)
    with pytest.raises(runs.RunError, match="no weights yet"):
        runs.load_weights(tmp_path, model())


def test_a_full_disk_leaves_the_last_complete_checkpoint(tmp_path):
    """A limit on file sizes fails writes as a full disk does: half way."""
    runs.save_state(tmp_path, model(seed=1), 1)
    old = runs.state_path(tmp_path).read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    try:
        with pytest.raises(OSError):
            runs.save_state(tmp_path, model(seed=2), 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert runs.state_path(tmp_path).read_bytes() == old
    assert [p.name for p in (tmp_path / "checkpoint").iterdir()] == ["state.npz"]


def test_config_json_says_what_it_is(tmp_path):
    runs.save_config(tmp_path, "ssdn_tf", CONFIG)
    content = json.loads((tmp_path / "config.json").read_text())
    assert content["method"] == "ssdn_tf"
    assert content["config"]["noise_params"] == "global"


def test_run_folders_are_numbered_and_no_number_is_taken_twice(tmp_path):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        labels = [f"ssdn-{i}" for i in range(40)]
        folders = list(pool.map(lambda label: runs.make_folder(label, tmp_path), labels))
    assert len({folder.name.split("-")[0] for folder in folders}) == 40
    assert all(folder.is_dir() for folder in folders)
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".lock"]
    (tmp_path / "00099-mine").mkdir()
    assert runs.make_folder("ssdn", tmp_path).name == "00100-ssdn"


def test_the_newest_run_is_found_by_method_settings_and_state(tmp_path):
    config = dataclasses.replace(CONFIG, num_images=8, batch_size=4).completed()
    for number, step in enumerate((2, 1)):
        folder = tmp_path / f"0000{number}-ssdn"
        runs.save_config(folder, "ssdn_tf", config)
        runs.state_path(folder).parent.mkdir()
        np.savez(runs.state_path(folder), step=np.int64(step))
        os.utime(folder / "config.json", (number, number))
    runs.save_config(tmp_path / "other", "n2n_tf", config)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("{")
    odd = tmp_path / "odd"
    runs.save_config(odd, "ssdn_tf", config)
    content = json.loads((odd / "config.json").read_text())
    content["config"]["batch_size"] = 0
    (odd / "config.json").write_text(json.dumps(content))
    runs.state_path(odd).parent.mkdir()
    np.savez(runs.state_path(odd), step=np.int64(1))
    assert runs.newest_finished("ssdn_tf", tmp_path) == tmp_path / "00000-ssdn"
    assert runs.newest_to_resume("ssdn_tf", config, tmp_path) == tmp_path / "00001-ssdn"
    other = dataclasses.replace(config, seed=5)
    assert runs.newest_to_resume("ssdn_tf", other, tmp_path) is None
    assert runs.newest_finished("n2n_tf", tmp_path) is None  # it has no weights
    assert runs.newest_finished(None, tmp_path / "nowhere") is None
