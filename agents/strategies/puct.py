"""Network and search by the rule of mcts/puct.py."""

from agents.search_strategy import SearchStrategy
from mcts import Puct


class PuctSearch(SearchStrategy):
    name = "puct"
    rule = Puct
