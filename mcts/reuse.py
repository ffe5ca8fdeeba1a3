"""Going on with what was found below the move that was played."""

import numpy as np

from games.core import kernel


def follow(tree, actions: np.ndarray, states: np.ndarray) -> None:
    """Make the nodes behind `actions` the roots, in place; `states` [B, S] are the positions there.

    A tree that knows nothing of its new position (the action was not tried or not expanded, or another game has begun)
    is left empty, with the position as its root's.
    """
    _follow(tree, actions, states, np.empty(tree.nodes.shape[1], np.int32))
    tree.evaluations[:] = 0


@kernel
def _follow(tree, actions, states, place):
    for b in range(len(actions)):
        child = _child(tree.nodes[b], actions[b]) if tree.num_nodes[b] > 0 else -1
        known = child >= 0 and (tree.states[child, b] == states[b]).all()
        expanded = known and (tree.nodes[b, child].candidate >= 0 or tree.nodes[b, child].first_child >= 0)
        tree.num_nodes[b] = _compact(tree, b, child, place) if expanded else 0
        tree.states[0, b] = states[b]


@kernel
def _child(nodes, action):
    child = nodes[0].first_child
    while child >= 0 and nodes[child].action != action:
        child = nodes[child].next_sibling
    return child


@kernel
def _compact(tree, b, top, place):
    """Move the nodes at and below `top` to the front, in their order; how many they are. place: old index -> new."""
    nodes, count = tree.nodes[b], 0
    place[:] = -1
    for old in range(top, tree.num_nodes[b]):
        if old == top or (nodes[old].parent >= top and place[nodes[old].parent] >= 0):
            place[old] = count
            nodes[count] = nodes[old]
            tree.prior[count, b] = tree.prior[old, b]
            tree.states[count, b] = tree.states[old, b]
            count += 1
    for index in range(count):
        node = nodes[index]
        node.parent = place[node.parent] if index else -1
        node.next_sibling = place[node.next_sibling] if index and node.next_sibling >= 0 else -1
        node.first_child = place[node.first_child] if node.first_child >= 0 else -1
        node.last_child = place[node.last_child] if node.last_child >= 0 else -1
    nodes[0].action = -1
    return count
