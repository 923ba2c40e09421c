"""The map of the house: who may import whom, and how long a module may be. docs/architecture.md."""

import ast
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parent.parent

# Method packages and the method packages they may import.
METHODS = {
    "n2n_tf": set(),
    "ssdn_tf": set(),
    "n2v_tf": {"n2n_tf"},
    "rdunet_tf": set(),
    "dbsn_tf": {"n2n_tf"},
    "deblur": {"n2n_tf"},
    "superres": {"n2n_tf", "n2v_tf"},
}
PACKAGES = {*METHODS, "common", "noise2x", "scripts", "tests"}

# The shelves of common, each with those it may import, as docs/architecture.md has them; all may
# import what lies beside the shelves, but for method.py.
SHELVES = {
    "noise": set(),
    "files": set(),
    "shipped": set(),
    "networks": {"noise"},
    "data": {"noise", "files"},
    "restoring": {"networks", "files"},
    "evaluation": {"noise", "networks", "data", "files", "restoring"},
    "training": {"noise", "networks", "data", "files", "restoring", "evaluation", "shipped"},
    "serving": {"networks", "files", "training"},
    "commands": {
        *("noise", "networks", "data", "files", "restoring", "evaluation", "training", "serving"),
        "method",
    },
}
# Modules beside the shelves, and the shelves they may import.
BESIDE = {
    "__init__": set(),
    "configuration": {"noise"},
    "crop_stages": set(),
    "processor": set(),
    "progress": set(),
    "quiet": set(),
    "types": set(),
    "method": set(SHELVES) - {"commands", "serving"},
}

# Where TensorFlow itself may be imported: the data layer, the export, and what Keras has no
# operation for. Elsewhere it is keras.ops.
TENSORFLOW = {
    "n2v_tf/juglab/n2v_utils.py",
    "common/serving/input_checks.py",
    "common/data/pipeline.py",
    "common/data/streams.py",
    "common/data/tfrecords.py",
    "common/method.py",
    "common/networks/normalization.py",
    "common/networks/ordering.py",
    "common/networks/upsampling.py",
    "common/quiet.py",
    "common/serving/saved_models.py",
    "common/serving/bioimage.py",
    "common/serving/tensorflow_serving.py",
    "common/training/loop.py",
    "n2v_tf/masking.py",
}


def sources(folder):
    return sorted((ROOT / folder).rglob("*.py"))


def imported(path):
    """Dotted names that a file imports, wherever in it: "common.files.stacks"."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def packages(path):
    """The top-level packages that a file imports."""
    return {name.split(".")[0] for name in imported(path)}


def shelves(path):
    """Shelves of common, and method.py, that a file imports."""
    parts = [name.split(".") for name in imported(path) if name.startswith("common.")]
    return {part[1] for part in parts if part[1] in {*SHELVES, "method"}}


def test_top_level_packages_are_the_designs():
    assert {p.parent.name for p in ROOT.glob("*/__init__.py")} == PACKAGES


def test_common_imports_no_method_package():
    for path in sources("common"):
        assert not packages(path) & ({*METHODS, "noise2x", "scripts", "tests"}), path


@pytest.mark.parametrize("shelf", SHELVES)
def test_a_shelf_imports_only_the_shelves_below_it(shelf):
    found = sources(f"common/{shelf}")
    assert found, "a shelf that is not there"
    for path in found:
        assert shelves(path) <= SHELVES[shelf] | {shelf}, path


def test_the_page_has_the_shelves_of_this_test():
    page = (ROOT / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\| `(\w+)/` \| [^|]* \| ([^|]*) \|$", page, re.M)
    table = {shelf: set(re.findall(r"\w+", below)) - {"nothing"} for shelf, below in rows}
    expected = {shelf: below - {"method"} for shelf, below in SHELVES.items()}
    assert {shelf: table[shelf] for shelf in SHELVES} == expected


def test_common_has_the_shelves_of_the_map_and_little_beside_them():
    folders = {path.parent.name for path in (ROOT / "common").glob("*/__init__.py")}
    assert folders == set(SHELVES)
    modules = {path.stem for path in (ROOT / "common").glob("*.py")}
    assert modules == set(BESIDE)
    for name, allowed in BESIDE.items():
        assert shelves(ROOT / "common" / f"{name}.py") <= allowed, name


@pytest.mark.parametrize("method", METHODS)
def test_methods_import_only_what_the_design_says(method):
    for path in sources(method):
        foreign = packages(path) & ({*METHODS} - {method} | {"scripts", "tests", "noise2x"})
        # Every package begins with `import noise2x`, see noise2x/_paths.py.
        allowed = METHODS[method] | (
            {"noise2x"} if path == ROOT / method / "__init__.py" else set()
        )
        assert foreign <= allowed, path


def test_a_denoiser_and_what_it_is_made_of_know_no_commands_and_no_data():
    for method in METHODS:
        for path in sources(method):
            if path.stem in ("denoiser", "network", "losses", "likelihood", "configs"):
                assert shelves(path) <= {"networks", "noise", "training", "files"}, path


def test_tensorflow_stays_in_the_data_layer_and_the_export():
    for folder in {"common", *METHODS}:
        for path in sources(folder):
            name = path.relative_to(ROOT).as_posix()
            allowed = name in TENSORFLOW or path.name == "data.py" or "common/noise/" in name
            assert allowed or "tensorflow" not in packages(path), name
    assert all((ROOT / name).is_file() for name in TENSORFLOW)


def test_no_module_is_longer_than_400_lines():
    lengths = {p: len(p.read_text().splitlines()) for f in PACKAGES for p in sources(f)}
    assert not {p: n for p, n in lengths.items() if n > 400}
    assert len(lengths) > 20  # the test would notice that it looks in the wrong place


@pytest.mark.parametrize("method", METHODS)
def test_a_method_has_the_files_that_every_method_has(method):
    names = {path.name for path in (ROOT / method).iterdir()}
    assert {"configs.py", "method.py", "denoiser.py", "train.py", "evaluate.py"} <= names
    assert "export.py" in names and names & {"denoise.py", "restore.py"}
