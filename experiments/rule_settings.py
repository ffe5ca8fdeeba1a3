"""The `search` group of a configuration as a selection rule."""

from __future__ import annotations

from dataclasses import asdict, fields

from omegaconf import DictConfig, OmegaConf, open_dict

from games import registry
from mcts import Puct, Rule, RuleError, make_rule

_TRAININGS_OWN = ("noise", "noise_concentration")


def rule_of(search: dict) -> Rule:
    """The rule that {rule: name, its settings} stands for.

    `search.rule=gumbel` is as good as `search=gumbel`: the settings that the group's file gives for PUCT are left out
    as long as nobody changed them. Raises RuleError for an unknown rule or setting or an impossible value.
    """
    name = str(search["rule"])
    cls = registry.find(name, "mcts", Rule, RuleError)
    known = {field.name for field in fields(cls)} - set(_TRAININGS_OWN)
    defaults = asdict(Puct())
    given = {key: value for key, value in search.items() if key != "rule"}
    kept = {key: value for key, value in given.items() if key in known or defaults.get(key) != value}
    for key in kept:
        if key not in known:
            where = f": that is training.{key}" if key in _TRAININGS_OWN else f": it takes {', '.join(sorted(known))}"
            raise RuleError(f"search.rule={name} has no setting {key!r}{where}")
    return make_rule(name, **kept)


def settings_of_rule(search: dict) -> dict:
    """{rule: name, all its settings}, as it is kept with a run."""
    settings = {key: value for key, value in asdict(rule_of(search)).items() if key not in _TRAININGS_OWN}
    return {"rule": search["rule"], **settings}


def normalise(config: DictConfig) -> None:
    """Write all settings of the rule, and no others, into `config.search`."""
    search = OmegaConf.to_container(config.search, resolve=True)
    assert isinstance(search, dict)
    with open_dict(config):
        config.search = settings_of_rule({str(key): value for key, value in search.items()})
