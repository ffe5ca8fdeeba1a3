"""Search trees as arrays and kernels over them; no rules, no networks.

streams      random numbers, one stream per row
prefetch     memory asked for ahead of its use
softmax      priors from logits
tree         the arrays
bounds       proof inside the tree
rule         what a selection rule is
root         noise and symmetries at the root
puct, gumbel, regularised    the rules
sweep        one turn of it: take up answers, back up, descend, step
search       the loop: sweep and evaluate
"""

from mcts.gumbel import Gumbel
from mcts.puct import Puct
from mcts.regularised import Regularised
from mcts.rule import Rule, RuleError, make_rule
from mcts.search import Evaluator, Search, refuse_budget, search
from mcts.tree import Tree

__all__ = [
    "Evaluator",
    "Gumbel",
    "Puct",
    "Regularised",
    "Rule",
    "RuleError",
    "Search",
    "Tree",
    "make_rule",
    "refuse_budget",
    "search",
]
