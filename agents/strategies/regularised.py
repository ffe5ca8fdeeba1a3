"""Network and search by the rule of mcts/regularised.py."""

from agents.search_strategy import SearchStrategy
from mcts import Regularised


class RegularisedSearch(SearchStrategy):
    name = "regularised"
    rule = Regularised
