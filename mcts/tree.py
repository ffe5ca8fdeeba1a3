"""A batch of search trees as arrays.

Array axes: B trees, N nodes (at most the budget), A actions. Node 0 is the root. Every other node is one tried edge of
its parent, so an edge's visits, value and prior live with the node it leads to; the children of a node are a linked
list in the order in which they were tried. Values are seen by the player to move at the node they stand for.

PUCT tries the untried actions of a node in the order of their priors, so one candidate per node is enough to know: that
is what makes a step down the tree cost its tried children only, not A.
"""

from typing import NamedTuple

import numpy as np

from games.core import kernel


class Tree(NamedTuple):
    """What a search knows; a field's axes stand beside it."""

    to_move: np.ndarray  # int8 [B, N]: player to move
    terminal: np.ndarray  # bool [B, N]: the game is over there
    raw_value: np.ndarray  # float32 [B, N]: the network's value; a finished game's result
    visits: np.ndarray  # int32 [B, N]: simulations that came through or ended here
    value_sum: np.ndarray  # float32 [B, N]: sum of their values
    parent: np.ndarray  # int32 [B, N]: -1 at the root
    action: np.ndarray  # int32 [B, N]: the parent's action that leads here
    edge_prior: np.ndarray  # float32 [B, N]: prior of that action
    first_child: np.ndarray  # int32 [B, N]: -1 where no action was tried
    last_child: np.ndarray  # int32 [B, N]
    next_sibling: np.ndarray  # int32 [B, N]: -1 at the last one
    tried_mass: np.ndarray  # float32 [B, N]: sum of the tried actions' priors
    candidate: np.ndarray  # int32 [B, N]: the untried legal action of highest prior (ties: lowest); -1 if none is left
    prior: np.ndarray  # float32 [B, N, A]: probability of each action; -1 where it is not legal or was tried
    num_nodes: np.ndarray  # int32 [B]
    simulations: np.ndarray  # int32 [B]: done so far, the root's expansion being the first
    evaluations: np.ndarray  # int32 [B]: network evaluations among them
    root_prior: np.ndarray  # float32 [B, A]: the root's prior, noise included; 0 where not legal

    @property
    def root_value(self) -> np.ndarray:
        """Mean value of the root's simulations for its player to move, float32 [B]."""
        return self.value_sum[:, 0] / np.maximum(self.visits[:, 0], 1).astype(np.float32)

    @property
    def root_visits(self) -> np.ndarray:
        """Visits of the root's actions, int32 [B, A]."""
        visits = np.zeros(self.root_prior.shape, np.int32)
        _root_visits(self, visits)
        return visits


@kernel
def _root_visits(tree, visits):
    for b in range(len(visits)):
        child = tree.first_child[b, 0]
        while child >= 0:
            visits[b, tree.action[b, child]] = tree.visits[b, child]
            child = tree.next_sibling[b, child]


def bytes_per_tree(nodes: int, actions: int) -> int:
    """Memory of one tree's arrays in bytes."""
    return nodes * (2 + 4 * 11 + 4 * actions) + 12 + 4 * actions


def allocate(batch: int, nodes: int, actions: int) -> Tree:
    """Empty trees. Node contents are written when a node is added, so they are not cleared here."""

    def ints():
        return np.empty((batch, nodes), np.int32)

    def floats():
        return np.empty((batch, nodes), np.float32)

    return Tree(
        to_move=np.empty((batch, nodes), np.int8), terminal=np.empty((batch, nodes), np.bool_), raw_value=floats(),
        visits=ints(), value_sum=floats(), parent=ints(), action=ints(), edge_prior=floats(), first_child=ints(),
        last_child=ints(), next_sibling=ints(), tried_mass=floats(), candidate=ints(),
        prior=np.empty((batch, nodes, actions), np.float32), num_nodes=np.zeros(batch, np.int32),
        simulations=np.zeros(batch, np.int32), evaluations=np.zeros(batch, np.int32),
        root_prior=np.zeros((batch, actions), np.float32),
    )  # fmt: skip


@kernel
def add_node(tree, b, parent, action, to_move):
    """A new node of tree b, linked behind its siblings; its edge counts as tried from here on."""
    node = tree.num_nodes[b]
    tree.num_nodes[b] = node + 1
    tree.to_move[b, node] = to_move
    tree.terminal[b, node] = False
    tree.visits[b, node] = 0
    tree.value_sum[b, node] = 0.0
    tree.parent[b, node] = parent
    tree.action[b, node] = action
    tree.first_child[b, node] = -1
    tree.last_child[b, node] = -1
    tree.next_sibling[b, node] = -1
    tree.tried_mass[b, node] = 0.0
    tree.candidate[b, node] = -1
    if parent >= 0:
        prior = tree.prior[b, parent, action]
        tree.edge_prior[b, node] = prior
        tree.tried_mass[b, parent] += prior
        tree.prior[b, parent, action] = -1.0
        tree.candidate[b, parent] = highest(tree.prior[b, parent])
        if tree.first_child[b, parent] < 0:
            tree.first_child[b, parent] = node
        else:
            tree.next_sibling[b, tree.last_child[b, parent]] = node
        tree.last_child[b, parent] = node
    return node


@kernel
def highest(prior):
    """Index of the largest non-negative entry of [A], the lowest of equals; -1 if there is none."""
    top = np.float32(-1.0)
    for a in range(len(prior)):
        top = max(top, prior[a])
    if top < 0:
        return -1
    for a in range(len(prior)):
        if prior[a] == top:
            return a
    return -1


@kernel
def backup(tree, b, node, value):
    """Add one simulation that ended at `node` with `value` for its player to move, up to the root."""
    tree.simulations[b] += 1
    mover = tree.to_move[b, node]
    while node >= 0:
        tree.visits[b, node] += 1
        tree.value_sum[b, node] += value if tree.to_move[b, node] == mover else -value
        node = tree.parent[b, node]
