"""The design's rules about who may import whom, and how long a module may be."""

import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parent.parent

# Method packages and the method packages they may import.
METHODS = {
    "n2n_tf": set(),
    "ssdn_tf": set(),
    "n2v_tf": set(),
    "rdunet_tf": set(),
    "dbsn_tf": set(),
    "deblur": {"n2n_tf"},
    "superres": {"n2n_tf", "n2v_tf"},
}
ALLOWED_TOP_LEVEL = set(METHODS) | {"common", "scripts", "tests"}

# Where TensorFlow itself may be imported: the data layer and the export. Elsewhere it is keras.ops.
TENSORFLOW = {
    "common/pipeline.py",
    "common/noise.py",
    "common/tfrecords.py",
    "common/export.py",
    "common/bioimage.py",
    "common/serving.py",
    "n2v_tf/masking.py",
}


def sources(folder):
    return sorted((ROOT / folder).rglob("*.py"))


def imported(path):
    """Top-level names that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module.split(".")[0])
    return names


def test_top_level_packages_are_the_designs():
    packages = {p.parent.name for p in ROOT.glob("*/__init__.py")}
    assert packages <= ALLOWED_TOP_LEVEL
    assert {"common", "ssdn_tf"} <= packages


def test_common_imports_no_method_package():
    for path in sources("common"):
        assert not imported(path) & (set(METHODS) | {"scripts", "tests"}), path


@pytest.mark.parametrize("method", [m for m in METHODS if (ROOT / m).is_dir()])
def test_methods_import_only_what_the_design_says(method):
    for path in sources(method):
        foreign = imported(path) & (set(METHODS) - {method} | {"scripts", "tests"})
        assert foreign <= METHODS[method], path


def test_tensorflow_stays_in_the_data_layer_and_the_export():
    for folder in {"common", *METHODS}:
        for path in sources(folder):
            name = path.relative_to(ROOT).as_posix()
            allowed = name in TENSORFLOW or path.name == "data.py"
            assert allowed or "tensorflow" not in imported(path), name
    assert all((ROOT / name).is_file() for name in TENSORFLOW)


def test_no_module_is_longer_than_400_lines():
    lengths = {p: len(p.read_text().splitlines()) for f in ALLOWED_TOP_LEVEL for p in sources(f)}
    assert not {p: n for p, n in lengths.items() if n > 400}
    assert len(lengths) > 20  # the test would notice that it looks in the wrong place


@pytest.mark.parametrize("method", [m for m in METHODS if (ROOT / m).is_dir()])
def test_a_method_has_the_files_that_every_method_has(method):
    names = {path.name for path in (ROOT / method).iterdir()}
    expected = {"configs.py", "network.py", "denoiser.py", "train.py", "evaluate.py", "export.py"}
    assert expected <= names
    assert names & {"denoise.py", "restore.py"}
