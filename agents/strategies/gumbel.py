"""Network and search by the rule of mcts/gumbel.py."""

from agents.search_strategy import SearchStrategy
from mcts import Gumbel


class GumbelSearch(SearchStrategy):
    name = "gumbel"
    rule = Gumbel
