"""Games and networks from outside this repository as choices of the command line: game=my_package.my_game:MyGame.

Hydra looks for `game=NAME` in configs/game. Where NAME is `package.module:Class` the entry is made here, from the
class: its name, and the settings that its constructor takes with their defaults. So `game.size=3,4` is known, and
`game.sise=3` refused, as for any other game.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from games import Game, GameError, registry

_OUTSIDE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


def offer(overrides: Iterable[str]) -> None:
    """Make the outside games and networks that `overrides` choose, such as `game=a.b:C,hex`, known to Hydra.

    Raises GameError or NetworkError if there is no such class.
    """
    for override in overrides:
        group, _, choices = override.partition("=")
        for choice in choices.split(",") if group in ("game", "network") else ():
            if _OUTSIDE.fullmatch(choice.strip(" '\"")):
                _store(group, choice.strip(" '\""))


def _store(group: str, name: str) -> None:
    cls, given = _find(group, name)
    takes = list(inspect.signature(cls).parameters.values())[given:]
    settings = {p.name: MISSING if p.default is p.empty else p.default for p in takes if p.kind is not p.VAR_KEYWORD}
    ConfigStore.instance().store(group=group, name=name, node={"name": name, **settings})


def _find(group: str, name: str) -> tuple[type, int]:
    """The class, and how many of its constructor's parameters are no settings."""
    if group == "game":
        return registry.find(name, "games", Game, GameError), 0
    from agents.network import Network, NetworkError  # torch takes seconds to import

    return registry.find(name, "agents.networks", Network, NetworkError), 1
