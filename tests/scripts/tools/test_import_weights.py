"""import_weights: the originals' weights come in whole, and nothing in their files runs."""

import io
import json
import os
import pathlib
import pickle
import pickletools
import re
import shutil
import struct
import sys
import types
import zipfile

import numpy as np
import pytest

from n2v_tf import N2V
from noise2x import methods
from scripts.tools import import_weights, weight_files
from tests import factory
from tests.scripts.tools.torch_files import same_weights, torch_file

HERE = pathlib.Path(__file__).parent


@pytest.fixture
def nvidia(monkeypatch):
    """NVIDIA's class, so that pickles are written as by its code."""
    module = types.ModuleType("dnnlib.tflib.network")

    class Network:
        def __init__(self, variables):
            self.state = {
                "version": 3,
                "name": "net",
                "static_kwargs": {"channels": 3},
                "build_module_src": "import os; os.system('touch ran')",
                "build_func_name": "autoencoder",
                "variables": variables,
            }

        def __getstate__(self):
            return self.state

    Network.__module__, Network.__qualname__ = module.__name__, "Network"
    module.Network = Network
    for name in ("dnnlib", "dnnlib.tflib"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return Network


def variables(network, kinds=("w", "b")):
    """(name, array) of a network's weights, as NVIDIA's pickles list them."""
    names = dict(zip(("kernel", "bias"), kinds))
    return [
        (f"{layer.name}/{names[v.name]}", np.asarray(v))
        for layer in network.layers
        for v in layer.weights
    ]


def run(tmp_path, run_command, method, path, *flags):
    run_dir = tmp_path / "run"
    return run_command(
        "scripts.tools.import_weights",
        f"--method={method}",
        f"--input={path}",
        f"--run_dir={run_dir}",
        *flags,
    )


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_nvidias_pickles_fill_the_network_by_name(tmp_path, nvidia, monkeypatch, protocol):
    theirs = factory.build("n2n_tf", channels=1)
    path = tmp_path / "network_final.pickle"
    path.write_bytes(pickle.dumps(nvidia(variables(theirs.network)), protocol))
    monkeypatch.chdir(tmp_path)
    (found,) = weight_files.tensors(weight_files.read(path))
    assert not (tmp_path / "ran").exists()
    ours = methods.find("n2n_tf").build(theirs.config)
    for variable in ours.network.weights:
        variable.assign(np.zeros(variable.shape))
    import_weights.fill(ours.network, found, path, is_torch=False)
    assert same_weights(ours.network, theirs.network)


@pytest.mark.slow
def test_the_command_makes_a_run_that_restores(tmp_path, nvidia, run_command):
    """A blind-spot network and the one that estimates the noise, both in one pickle."""
    theirs = factory.build("ssdn_tf", channels=1, noise_params="per_image")
    last = theirs.noise_network.get_layer("nin_c").kernel
    last.assign(np.full(last.shape, 0.01))
    networks = [
        nvidia(variables(net, ("weight", "bias"))) for net in (theirs.network, theirs.noise_network)
    ]
    path = tmp_path / "network_final.pickle"
    path.write_bytes(pickle.dumps(tuple(networks)))
    config = "--config=gauss5_50-blindspot-sigma_per_image-mono"
    done = run(tmp_path, run_command, "ssdn_tf", path, config)
    assert done.returncode == 0, done.stderr
    assert "1 channels, noise gauss5_50" in done.stdout
    ours = methods.of_run(tmp_path / "run").load(tmp_path / "run")
    assert same_weights(ours, theirs)
    done = run(tmp_path, run_command, "ssdn_tf", path, config)
    assert done.returncode == 1 and "is there already" in done.stderr


def test_juglabs_folder_becomes_a_run_that_restores_the_same(tmp_path, run_command):
    done = run(tmp_path, run_command, "n2v_tf", HERE.parent.parent / "n2v_tf" / "juglab_model")
    assert done.returncode == 0, done.stderr
    ours = methods.of_run(tmp_path / "run").load(tmp_path / "run")
    theirs = N2V(None, "juglab_model", HERE.parent.parent / "n2v_tf")
    noisy = np.random.default_rng(0).random((20, 33, 3), np.float32) * 200
    np.testing.assert_allclose(
        ours.predict_on_batch({"noisy": noisy[None]})["denoised"][0],
        theirs.predict(noisy, "YXC"),
        rtol=1e-5,
    )


@pytest.mark.parametrize("name", ["rdunet_width2", "rdunet_width2_before_1_6"])
def test_pytorchs_files_of_both_formats_fill_the_network(tmp_path, run_command, name):
    """Written by PyTorch 1.13, values drawn one after another, kernels as Keras has them."""
    done = run(tmp_path, run_command, "rdunet_tf", HERE / f"{name}.pth")
    assert done.returncode == 0, done.stderr
    ours = methods.of_run(tmp_path / "run").load(tmp_path / "run")
    assert (ours.config.width, ours.config.channels) == (2, 3)
    rng = np.random.default_rng(0)
    for variable in ours.network.weights:
        expected = rng.standard_normal(variable.shape).astype(np.float32)
        np.testing.assert_array_equal(np.asarray(variable), expected)


def test_pytorchs_blind_spot_networks_have_names_of_their_own(tmp_path):
    theirs = factory.build("ssdn_tf", channels=1).network
    arrays = {}
    for number, layer in enumerate(layer for layer in theirs.layers if layer.weights):
        kernel = np.ascontiguousarray(np.asarray(layer.kernel).transpose(3, 2, 0, 1))
        arrays[f"encode_block_{number}.0.weight"] = kernel
        arrays[f"encode_block_{number}.0.bias"] = np.asarray(layer.bias)
    path = tmp_path / "model.wt"
    path.write_bytes(torch_file(arrays))
    (found,) = weight_files.tensors(weight_files.read(path))
    ours = factory.build("ssdn_tf", channels=1, seed=1).network
    assert not same_weights(ours, theirs)
    import_weights.fill(ours, found, path, is_torch=True)
    assert same_weights(ours, theirs)


class Runs:
    """Pickled, it calls a function when it is read."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def system(folder):
    return Runs(os.system, f"touch {folder}/ran")


def malicious(folder):
    yield "posix.system", pickle.dumps(system(folder), 2)
    yield "posix.system", pickle.dumps({"variables": [("a/w", np.ones(3)), system(folder)]}, 4)
    yield "builtins.eval", pickle.dumps(Runs(eval, "1"))
    yield "builtins.getattr", pickle.dumps(Runs(getattr, "", "upper"))
    # An array whose type is an object's: values that are pickles of their own.
    yield "arrays of 'O8'", pickle.dumps(np.array([system(folder)], object), 2)
    yield "functools.partial", pickle.dumps(Runs(__import__("functools").partial, print), 4)
    yield "asks for numpy", pickle.dumps(Runs(np.load, f"{folder}/x.npy"))
    yield "asks for numpy", pickle.dumps(Runs(np.frombuffer, b"1234"))
    # A global within a global, by a dot in its name.
    nested = b"\x80\x04\x8c\x05numpy\x8c\x0cf2py.os.open\x93."
    yield "numpy.f2py.os.open", nested
    yield "asks for os.system", torch_file({"a.weight": np.ones(3)}, b"cos\nsystem\n(S'true'\ntR.")
    yield "neither number nor name", b"\x80\x02cssdn.params\nConfigValue\n]\x85R."
    yield "asks for ssdn.models", b"\x80\x02cssdn.models\nDenoiser\n)R."
    yield "damaged", b"\x80\x05\x96" + struct.pack("<Q", 2**40)  # a bytearray of a terabyte
    yield "damaged", b"\x80\x04N" + b"r" + struct.pack("<I", 2**31)  # a memo of two billion
    yield "containers in", b"\x80\x04" + b"]" * 500 + b"a" * 499 + b"."
    # A function with attributes of its own: an address that NumPy would read.
    interface = {"__array_interface__": {"data": (4096, False), "shape": (9,), "typestr": "<f8"}}
    numbers = pickle.dumps(interface, 2)[2:-1]
    yield "a state for function", b"\x80\x02c_codecs\nencode\n" + numbers + b"b."
    yield "a function among", b"\x80\x02]c_codecs\nencode\na."
    # Small texts made large: the same megabyte encoded, or a list taken apart, a thousand times.
    text = b"X" + struct.pack("<I", 10**5) + b"x" * 10**5 + b"\x85q\x01"
    calls = b"".join(b"c_codecs\nencode\nh\x01Ra" for _ in range(1000))
    yield "more than the file holds", b"\x80\x02" + text + b"0]" + calls + b"."
    stretched = torch_file({"a.weight": np.ones((1, 4), np.float32)})
    stretched = stretched.replace(b"K\x01K\x04\x86", b"K\xffK\xff\x86")
    yield "damaged|beyond its storage|Bad CRC", stretched


def test_laughs_by_the_billion_are_read_once(tmp_path):
    inner = [np.ones(3)] * 10
    for _ in range(15):
        inner = [inner] * 10
    path = tmp_path / "laughs.pickle"
    path.write_bytes(pickle.dumps(inner))
    assert weight_files.tensors(weight_files.read(path)) == []


def test_two_arrays_for_one_place_are_refused(tmp_path):
    network = factory.build("n2n_tf", channels=3).network
    twice = variables(network) + [("other/enc_conv0/w", np.zeros((3, 3, 3, 48)))]
    path = tmp_path / "network.pickle"
    path.write_bytes(pickle.dumps({"variables": twice}))
    with pytest.raises(weight_files.WeightError, match="two arrays for enc_conv0/w"):
        import_weights.fill(
            network, import_weights.read_sets(path, "n2n_tf")[0][0], path, is_torch=False
        )


def test_sizes_are_believed_only_with_the_weights_for_them(tmp_path):
    method = methods.find("rdunet_tf")
    for arrays in ({"a.bias": np.ones(20000, "f4")}, {"a.weight": np.ones((2, 2, 3, 3), "f4")}):
        path = tmp_path / "a.pth"
        path.write_bytes(torch_file(arrays | {"b.weight": np.ones((2, 2, 3, 3), "f4")}))
        with pytest.raises(weight_files.WeightError, match="another network than RDUNet"):
            import_weights.convert(method, path, tmp_path / "run")
    folder = tmp_path / "model"
    shutil.copytree(HERE.parent.parent / "n2v_tf" / "juglab_model", folder)
    told = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(told | {"unet_n_depth": 12}))
    with pytest.raises(weight_files.WeightError, match="too few for"):
        import_weights.convert(methods.find("n2v_tf"), folder, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_nothing_in_a_file_runs(tmp_path):
    for number, (said, content) in enumerate(malicious(tmp_path)):
        path = tmp_path / f"{number}.pickle"
        path.write_bytes(content)
        with pytest.raises(weight_files.WeightError, match=said) as error:
            weight_files.read(path)
        assert str(path) in str(error.value)
    assert not (tmp_path / "ran").exists()
    # And they would have done something: the test's own pickles are what they say.
    pickletools.dis(next(malicious(tmp_path))[1], io.StringIO())
    pickle.loads(next(malicious(tmp_path))[1])
    assert (tmp_path / "ran").exists()


def test_a_compressed_archive_is_no_pytorch_file(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(10**6))
    with pytest.raises(weight_files.WeightError, match="compressed"):
        weight_files.read(tmp_path / "a.pth")


def test_weights_of_another_network_are_named_and_leave_nothing(tmp_path, run_command):
    network = factory.build("n2n_tf", channels=3).network
    whole = dict(variables(network))
    cases = {
        "lacks enc_conv3/kernel": {k: v for k, v in whole.items() if k != "enc_conv3/w"},
        "has extra/kernel": whole | {"extra/w": np.ones((3, 3, 1, 1))},
        "enc_conv6/bias is 47, expected 48": whole | {"enc_conv6/b": np.ones(47)},
        "dec_conv1/bias has NaN": whole | {"dec_conv1/b": np.full(3, np.nan)},
        "holds no sets of named arrays": {},
    }
    for said, arrays in cases.items():
        path = tmp_path / "network.pickle"
        path.write_bytes(pickle.dumps({"variables": list(arrays.items())}))
        with pytest.raises(weight_files.WeightError, match=re.escape(said)):
            import_weights.fill(
                network, import_weights.read_sets(path, "n2n_tf")[0][0], path, is_torch=False
            )
    done = run(tmp_path, run_command, "n2n_tf", path)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert not list(tmp_path.glob("*run*"))
    for flags, said in (
        (("--config=gauss",), "config='gauss': expected"),
        ((f"--input={tmp_path}/none.pickle",), "none.pickle: no such file."),
    ):
        done = run(tmp_path, run_command, "n2n_tf", path, *flags)
        assert done.returncode == 1 and said in done.stderr, done.stderr
