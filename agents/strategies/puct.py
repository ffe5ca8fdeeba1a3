"""Network and search by the rule of mcts/puct.py."""

from typing import ClassVar

from agents.search_strategy import SearchStrategy
from mcts import Puct


class PuctSearch(SearchStrategy):
    name = "puct"
    rule = Puct
    defaults: ClassVar[dict] = {"solve": True}  # python -m experiments.rules, docs/log.md
