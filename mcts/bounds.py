"""Proof inside the tree: bounds on the exact values of nodes, from finished games upwards.

MCTS-Solver (Winands, Bjornsson & Saito 2008) with draws, as score bounded search (Cazenave & Saffidine 2010, section
3): a node's mover is sure of the best of its children's lower bounds, and cannot have more than the best of their upper
bounds once every action was tried. A node whose bounds meet is settled. Its mean value becomes the exact one, and the
rules go on elsewhere: a child whose upper bound is no better than what its parent is sure of is not selected again.
"""

import numpy as np

from games.core import lean_kernel


@lean_kernel
def lower_bound(nodes, parent, child):
    """What the parent's mover is sure of after the move to `child`."""
    below = nodes[child]
    return below.lower if below.to_move == nodes[parent].to_move else -below.upper


@lean_kernel
def upper_bound(nodes, parent, child):
    """What the parent's mover can have at most after the move to `child`."""
    below = nodes[child]
    return below.upper if below.to_move == nodes[parent].to_move else -below.lower


@lean_kernel
def settle(nodes, index, value):
    """The exact value of node `index` for its mover is known: note it, and all that follows from it above."""
    nodes[index].lower = value
    nodes[index].upper = value
    _close(nodes[index])
    parent = nodes[index].parent
    while parent >= 0 and _tighten(nodes, parent):
        parent = nodes[parent].parent


@lean_kernel
def _tighten(nodes, index):
    """Bounds of a node from those of its children; whether they moved."""
    node = nodes[index]
    lower, upper = -1, 1 if node.candidate >= 0 else -1
    child = node.first_child
    while child >= 0:
        lower = max(lower, lower_bound(nodes, index, child))
        upper = max(upper, upper_bound(nodes, index, child))
        child = nodes[child].next_sibling
    if lower == node.lower and upper == node.upper:
        return False
    node.lower = lower
    node.upper = max(lower, upper)
    if lower == 1:
        node.upper = 1
    if node.lower == node.upper:
        _close(node)
    return True


@lean_kernel
def _close(node):
    node.settled = True
    node.raw_value = np.float32(node.lower)
    node.value_sum = node.raw_value * np.float32(node.visits - node.under_way)
