"""Reading trees in plain Python, and what must hold of every one of them."""

import numpy as np

from mcts.tree import add_node, allocate

KEPT = ("visits", "value_sum", "candidate", "candidate_prior", "tried_mass", "to_move", "settled",
        "lower", "upper", "raw_value")  # fmt: skip
"""Fields of a node that say nothing of where it stands and what leads to it."""


def tree_of_one_move():
    """A root with two moves, priors 0.6 and 0.4, searched four times, twice through the first: tree, root, x."""
    tree = allocate(np.zeros((1, 3), np.int16), 2, 2)
    root = add_node(tree, 0, -1, -1, 0)
    tree.prior[root, 0] = [0.6, 0.4]
    x = add_node(tree, 0, root, 0, 1)
    tree.nodes["visits"][0, [root, x]] = 4, 2
    return tree, root, x


def children(tree, b, index):
    """The nodes of the linked list below one node, in order."""
    found, child = [], tree.nodes[b, index].first_child
    while child >= 0:
        found.append(int(child))
        assert len(found) <= tree.num_nodes[b], "the list of children runs in a circle"
        child = tree.nodes[b, child].next_sibling
    return found


def expanded(node):
    return node.candidate >= 0 or node.first_child >= 0


def unfold(tree, b, index=0):
    """A node and all below it as nested tuples: the fields of KEPT, position, priors, [(action, child), ...]."""
    node = tree.nodes[b, index]
    below = [(int(tree.nodes[b, child].action), unfold(tree, b, child)) for child in children(tree, b, index)]
    fields = {name: node[name].item() for name in KEPT}
    if not expanded(node):  # finished games have no actions to keep in order
        fields["candidate_prior"] = None
    priors = tree.prior[index, b].tobytes() if expanded(node) else None
    return fields, tree.states[index, b].tobytes(), priors, below


def check(game, tree, b, solve=False):
    """Links, counts, sums, priors and positions of one whole tree."""
    nodes, count = tree.nodes[b], int(tree.num_nodes[b])
    seen = [0]
    for index in range(count):
        node, below = nodes[index], children(tree, b, index)
        seen += below
        assert node.last_child == (below[-1] if below else -1)
        for child in below:
            assert index < child < count and nodes[child].parent == index
            assert (game.play(tree.states[index, b], int(nodes[child].action)) == tree.states[child, b]).all()
        assert node.to_move == game.to_move(tree.states[index, b][None])[0] or node.settled
        _check_priors(game, tree, b, index, below)
        _check_sums(nodes, index, below, solve)
    assert sorted(seen) == list(range(count)), "nodes that no list leads to"
    assert nodes[0].parent == -1 and nodes[0].next_sibling == -1


def _check_priors(game, tree, b, index, below):
    node, prior = tree.nodes[b, index], tree.prior[index, b]
    if not expanded(node):
        assert game.over(tree.states[index, b][None])[0] and node.settled
        return
    tried = np.zeros(game.num_actions, np.bool_)
    tried[[tree.nodes[b, child].action for child in below]] = True
    legal = game.legal(tree.states[index, b][None])[0]
    assert (prior[tried | ~legal] == -1).all() and (prior[legal & ~tried] >= 0).all()
    assert node.candidate == (prior.argmax() if prior.max() >= 0 else -1)
    assert abs(node.tried_mass - sum(tree.nodes[b, child].edge_prior for child in below)) < 1e-5
    assert abs(node.tried_mass + np.maximum(prior, 0).sum() - 1) < 1e-5


def _check_sums(nodes, index, below, solve):
    """Visits are one for the node's own evaluation and those of its children; values likewise, signs turned."""
    node = nodes[index]
    assert node.under_way == 0
    if node.settled:
        assert node.value_sum == node.raw_value * node.visits
        assert node.visits >= 1 + sum(nodes[child].visits for child in below)
        return
    assert node.visits == 1 + sum(nodes[child].visits for child in below)
    if not solve:  # a proof changes what was backed up before it
        sums = [nodes[child].value_sum * (1 if nodes[child].to_move == node.to_move else -1) for child in below]
        assert abs(node.value_sum - node.raw_value - sum(sums)) < 1e-4
