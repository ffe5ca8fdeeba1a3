"""Imports flow one way, rules and search know no torch, and nothing loads files that could run code."""

import ast
import graphlib
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parents[2]
LAYERS = ["games", "mcts", "agents", "training", "experiments"]
SOURCES = [file for layer in LAYERS for file in sorted((ROOT / layer).rglob("*.py"))]


def imports(tree):
    """Full names of all modules that a file imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are not used here"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def faults(layer, source):
    """What a file of `layer` with this text does wrong."""
    tree = ast.parse(source)
    used = set(imports(tree))
    tops = {name.split(".")[0] for name in used}
    found = [f"imports {later}" for later in LAYERS[LAYERS.index(layer) + 1 :] if later in tops]
    found += ["imports tests" for _ in tops & {"tests", "configs"}]
    if layer in ("games", "mcts"):
        found += [f"imports {name}" for name in tops & {"torch", "safetensors", "hydra", "omegaconf"}]
    if layer != "experiments":
        found += [f"imports {name}" for name in tops & {"hydra", "omegaconf", "joblib"}]
    found += [f"imports {name}" for name in tops & {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal"}]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in ("torch.load", "torch.save", "eval", "exec", "joblib.load", "joblib.dump", "yaml.unsafe_load"):
                found.append(f"calls {name}")
            allows = [k for k in node.keywords if k.arg == "allow_pickle" and ast.unparse(k.value) != "False"]
            found += ["allows pickles in numpy files" for _ in allows]
    return found


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_file_keeps_to_its_layer_and_loads_no_code(file):
    layer = file.relative_to(ROOT).parts[0]
    assert faults(layer, file.read_text()) == []


@pytest.mark.parametrize("layer, source, fault", [
    ("games", "import mcts", "imports mcts"),
    ("mcts", "def f():\n    from agents.agent import Agent", "imports agents"),
    ("agents", "import training.run as r", "imports training"),
    ("training", "from experiments import cells", "imports experiments"),
    ("games", "import torch.nn", "imports torch"),
    ("mcts", "from torch import nn", "imports torch"),
    ("training", "from omegaconf import OmegaConf", "imports omegaconf"),
    ("agents", "import pickle", "imports pickle"),
    ("training", "import torch\ntorch.load('x')", "calls torch.load"),
    ("games", "import numpy as np\nnp.load('x', allow_pickle=True)", "allows pickles in numpy files"),
    ("experiments", "eval('1')", "calls eval"),
])  # fmt: skip
def test_the_check_sees_each_fault(layer, source, fault):
    assert fault in faults(layer, source)


def test_every_package_is_a_layer_and_none_is_missed():
    assert {file.relative_to(ROOT).parts[0] for file in SOURCES} == set(LAYERS)
    assert len(SOURCES) > 30


def test_no_files_import_each_other_in_a_circle():
    """Wherever in a file the import stands; packages, which hand on names of their files, are left out."""
    modules = {".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in SOURCES}
    used = {name: set(imports(ast.parse(file.read_text()))) & modules.keys() - {name} for name, file in modules.items()}
    graphlib.TopologicalSorter(used).prepare()  # raises CycleError with the circle


def own_lines(function):
    """Lines of a function without those of the functions defined in it, which are counted for themselves."""
    inner = [node for node in function.body if isinstance(node, ast.FunctionDef)]
    return function.end_lineno - function.lineno - sum(node.end_lineno - node.lineno for node in inner)


def test_files_and_functions_stay_short():
    """Files of 100 to 300 lines, functions near 10 and rarely 40: a bound that only a runaway reaches."""
    for file in SOURCES:
        text = file.read_text()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                assert own_lines(node) < 60, f"{file.name}: {node.name}"
