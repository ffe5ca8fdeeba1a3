"""Every configuration file composes, says what the code takes and nothing else, and every study runs in miniature."""

import dataclasses
import inspect
import pathlib
from unittest import mock

import pytest
from applications import ROOT, call
from hydra import compose, initialize_config_module
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf
from study_without_fits import finish

from agents.network import Network
from experiments.arena_settings import Arena
from experiments.cells import Cell, Study, check
from experiments.rule_settings import settings_of_rule
from games import Game, registry
from training.settings import Training

CONFIGS = ROOT / "configs"
GROUPS = {file for file in CONFIGS.rglob("*.yaml") if file.parent != CONFIGS}
PRIMARY = sorted(file.stem for file in CONFIGS.glob("*.yaml"))
STUDIES = sorted(file.stem for file in (CONFIGS / "study").glob("*.yaml"))


def composed(primary, *overrides, **more):
    with initialize_config_module("configs", version_base="1.3"):
        return compose(primary, overrides=list(overrides), **more)


@pytest.mark.parametrize("primary", PRIMARY)
def test_every_command_composes(primary):
    assert composed(primary)


@pytest.mark.parametrize("file", sorted(GROUPS), ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_every_choice_composes_into_a_cell_that_can_be(file):
    group, name = file.parent.name, file.stem
    if group not in ("game", "network", "search", "training", "arena", "study"):
        pytest.skip("belongs to another command")
    config = composed("train", f"{group}={name}")
    assert isinstance(check(config), Cell)


@pytest.mark.parametrize("schema, file", [(Training, "training/default"), (Arena, "arena/default")])
def test_settings_are_the_same_in_code_and_yaml(schema, file):
    """One owner would be better; two that are held together are the next best, since people read the YAML."""
    written = OmegaConf.to_container(OmegaConf.load(CONFIGS / f"{file}.yaml"))
    assert written == OmegaConf.to_container(OmegaConf.structured(schema))
    assert list(written) == [field.name for field in dataclasses.fields(schema)], "in the same order"


@pytest.mark.parametrize("rule", ["puct", "gumbel", "regularised"])
def test_search_files_say_all_settings_of_their_rule(rule):
    written = OmegaConf.to_container(OmegaConf.load(CONFIGS / f"search/{rule}.yaml"))
    assert written == settings_of_rule({"rule": rule})
    assert settings_of_rule({**OmegaConf.load(CONFIGS / "search/puct.yaml"), "rule": rule}) == written


def test_the_study_group_knows_the_fields_of_a_study():
    assert composed("train").study == {"name": Study.name}
    assert {field.name for field in dataclasses.fields(Study)} == {"name", "positions", "flops", "width", "budget"}


def test_the_top_level_of_train_is_a_cell():
    config = composed("train")
    assert set(config) == {field.name for field in dataclasses.fields(Cell)}


def test_the_arena_command_offers_every_setting_and_changes_none():
    settings = composed("arena").arena
    assert list(settings) == [field.name for field in dataclasses.fields(Arena)]
    assert all(value is None for value in settings.values())


@pytest.mark.parametrize("group, package, base", [("game", "games", Game), ("network", "agents.networks", Network)])
def test_games_and_networks_have_a_file_with_their_settings_and_defaults(group, package, base):
    files = {file.stem: OmegaConf.to_container(OmegaConf.load(file)) for file in (CONFIGS / group).glob("*.yaml")}
    assert sorted(files) == registry.names(package, base)
    for name, written in files.items():
        assert written.pop("name") == name
        cls = registry.find(name, package, base, ValueError)
        assert written == {p.name: p.default for p in inspect.signature(cls).parameters.values() if p.name != "game"}


def test_every_setting_is_explained_beside_its_value():
    for file in GROUPS:
        text = file.read_text()
        assert text.startswith("# "), f"{file} begins with what it is for"
    source = inspect.getsource(Training)
    for field in dataclasses.fields(Training):
        line = next(line for line in source.splitlines() if line.strip().startswith(f"{field.name}:"))
        assert "#" in line or field.name in ("learning_rate", "weight_decay", "batch", "replay_positions"), field.name


def choices(key, value):
    """The values that a sweep gives to a setting."""
    override = OverridesParser.create().parse_override(f"{key}={value}")
    return list(override.sweep_string_iterator()) if override.is_sweep_override() else [str(value)]


def miniature(name):
    """What makes a study of configs/study small: two of its sizes, few positions, tiny networks and arena."""
    sweep = OmegaConf.load(CONFIGS / "study" / f"{name}.yaml").get("hydra", {}).get("sweeper", {}).get("params", {})
    swept = {key: choices(key, value) for key, value in sweep.items()}
    overrides = [f"{key}={','.join(values[:2] if key == 'game.size' else values[:1])}" for key, values in swept.items()]
    return [
        *overrides, "training.positions=600", "training.train_flops=0", "training.games=12",
        "training.budget=4", "training.replay_positions=300",
        "training.batch=24", "arena.budgets=[1,2]", "arena.openings=2", "arena.rounds=1", "arena.opponents=1",
        "arena.snapshots=2", "jobs=1", "threads=1", "device=cpu",
    ]  # fmt: skip


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_runs_in_miniature(name, tmp_path):
    pytest.importorskip("games.exact")
    arguments = [f"study={name}", *miniature(name), f"studies={tmp_path}"]
    if name == "adhoc":
        arguments = ["-m", "game.size=2", *arguments]
    with mock.patch("experiments.frontier.finish", finish):
        ended = call("experiments.train", *arguments)
    assert ended.status == 0, ended.err
    study = tmp_path / OmegaConf.load(CONFIGS / "study" / f"{name}.yaml").get("study", {"name": "scratch"})["name"]
    record = OmegaConf.load(study / "study.yaml")
    assert len(record.cells) >= 1
    for cell in record.cells:
        assert (study / "runs" / cell / "snapshots" / "000.safetensors").exists()
    for file in ("matches.csv", "agents.csv", "ratings.csv"):
        assert pathlib.Path(study / file).stat().st_size > 100


@pytest.mark.parametrize("name", [name for name in STUDIES if name != "adhoc"])
def test_every_study_file_begins_with_command_purpose_cost_and_outcome(name):
    text = (CONFIGS / "study" / f"{name}.yaml").read_text()
    head = text[: text.index("\nstudy:")]
    for word in (f"study={name}", "Purpose", "Cost", "Outcome"):
        assert word in head
