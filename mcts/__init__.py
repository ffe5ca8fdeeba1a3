"""Search trees as arrays and kernels over them; no rules, no networks.

streams   random numbers, one stream per row
prefetch  memory asked for ahead of its use
softmax   priors from logits
tree      the arrays
puct      the selection rule
search    the loop: descend, step, evaluate, expand and back up
"""

from mcts.search import Evaluator, Puct, search
from mcts.tree import Tree

__all__ = ["Evaluator", "Puct", "Tree", "search"]
