"""scripts.tools.ssdn_wt: files of SSDN's PyTorch reimplementation say what their model is."""

import collections
import sys
import types

import numpy as np
import pytest

from noise2x import methods
from scripts.tools import import_weights, weight_files
from tests import factory
from tests.scripts.tools.torch_files import same_weights, torch_file


@pytest.fixture
def member(monkeypatch):
    """A function that gives a member of an enumeration of the PyTorch reimplementation of SSDN."""
    params = types.ModuleType("ssdn.params")
    monkeypatch.setitem(sys.modules, "ssdn", types.ModuleType("ssdn"))
    monkeypatch.setitem(sys.modules, "ssdn.params", params)

    def of(enumeration, value):
        if not hasattr(params, enumeration):
            made = type(enumeration, (), {"__module__": "ssdn.params"})
            setattr(params, enumeration, made)
        return Named(getattr(params, enumeration), value)

    return of


class Named:
    """Pickled as a member of an enumeration is: its class, called with its value."""

    def __init__(self, enumeration, value):
        self.parts = enumeration, value

    def __reduce__(self):
        return self.parts[0], (self.parts[1],)


def reimplemented(denoiser, member, noise, algorithm, params, pipeline, in_training=False):
    """A .wt file of the reimplementation: every tensor twice, a layer without use, enumerations."""
    arrays = {}
    networks = {"denoiser_model": denoiser.network}
    if denoiser.noise_network is not None:
        networks["sigma_estimation_model"] = denoiser.noise_network
    for prefix in ("models.{}.module.", "_models.{}."):
        for name, network in networks.items():
            start = prefix.format(name)
            layers = [layer for layer in network.layers if layer.weights]
            for number, layer in enumerate(layers):
                block = f"{'output' if number >= len(layers) - 3 else 'encode'}_block"
                place = 2 * (number - len(layers) + 3) if block == "output_block" else number
                kernel = np.asarray(layer.kernel).transpose(3, 2, 0, 1)
                arrays[f"{start}{block}.{place}.weight"] = np.ascontiguousarray(kernel)
                arrays[f"{start}{block}.{place}.bias"] = np.asarray(layer.bias)
            arrays[f"{start}output_conv.weight"] = np.ones((3, 96, 1, 1), np.float32)
            arrays[f"{start}output_conv.bias"] = np.ones(3, np.float32)
    if denoiser.raw_noise is not None:
        arrays["l_params.estimated_sigma"] = np.full((1, 1, 1, 1), 1.7, np.float32)
    cfg = {
        member("ConfigValue", 15): 2000000,
        member("ConfigValue", 2): member("NoiseAlgorithm", algorithm),
        member("ConfigValue", 6): noise,
        member("ConfigValue", 10): member("NoiseValue", params),
        member("ConfigValue", 4): member("Pipeline", pipeline),
        member("ConfigValue", 3): denoiser.blindspot,
    }

    def around(tensors):
        whole = collections.OrderedDict({**tensors, "cfg": cfg})
        return {"denoiser": whole, "step": 3} if in_training else whole

    return torch_file(arrays, around=around)


@pytest.mark.parametrize(
    "settings, noise, algorithm, params, pipeline, read_as",
    [
        ({}, "gauss25", "ssdn", "known", "ssdn", "gauss25_clipped"),
        ({"noise_params": "global"}, "gauss25_nc", "ssdn", "const", "ssdn", "gauss25"),
        (
            {"noise_params": "per_image", "noise": "gauss5_50", "channels": 1},
            *("gauss5_50", "ssdn", "var", "ssdn", "gauss5_50_clipped"),
        ),
        ({"diagonal_covariance": True}, "poisson30_nc", "ssdn", "known", "ssdn", "poisson30"),
        (
            {"pipeline": "blindspot_mean"},
            "gauss25",
            "ssdn_u_only",
            "known",
            "mse",
            "gauss25_clipped",
        ),
        ({"pipeline": "n2n", "channels": 1}, "gauss25", "n2n", "known", "mse", "gauss25_clipped"),
        ({"pipeline": "n2c"}, "poisson30", "n2v", "known", "mask_mse", "poisson30_clipped"),
    ],
)
@pytest.mark.parametrize("in_training", [False, True])
def test_files_of_the_reimplementation_say_what_they_are(
    tmp_path, member, settings, noise, algorithm, params, pipeline, read_as, in_training
):
    theirs = factory.build("ssdn_tf", seed=1, **settings)
    path = tmp_path / "final.wt"
    content = reimplemented(theirs, member, noise, algorithm, params, pipeline, in_training)
    path.write_bytes(content)
    method = methods.find("ssdn_tf")
    config, _ = import_weights.convert(method, path, tmp_path / "run")
    assert str(config.noise) == read_as
    expected = {"pipeline": "blindspot", "channels": 3, "diagonal_covariance": False} | settings
    for name, value in expected.items():
        if name != "noise":
            assert getattr(config, name) == value, name
    ours = method.load(tmp_path / "run")
    assert same_weights(ours.network, theirs.network)
    if theirs.noise_network is not None:
        assert same_weights(ours.noise_network, theirs.noise_network)
    if theirs.raw_noise is not None:
        np.testing.assert_allclose(ours.raw_noise, 1.7)


@pytest.mark.parametrize(
    "noise, params, pipeline, message",
    [
        ("gauss25", "known", "what", "a pipeline 'what' of 'ssdn' that is not known here"),
        ("gauss25", "guessed", "ssdn", "a noise level that is 'guessed'"),
        ("speckle3", "known", "ssdn", "a noise 'speckle3' that is not known here"),
    ],
)
def test_what_a_file_of_the_reimplementation_says_must_be_known(
    tmp_path, member, noise, params, pipeline, message
):
    path = tmp_path / "final.wt"
    denoiser = factory.build("ssdn_tf", channels=1)
    path.write_bytes(reimplemented(denoiser, member, noise, "ssdn", params, pipeline))
    with pytest.raises(weight_files.WeightError, match=f"final.wt: {message}"):
        import_weights.convert(methods.find("ssdn_tf"), path, tmp_path / "run")
    assert not (tmp_path / "run").exists()
