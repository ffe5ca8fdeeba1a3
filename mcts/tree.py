"""A batch of search trees as arrays.

Array axes: B trees, N nodes (at most the budget), A actions, S state words. Node 0 is the root. Every other node is one
tried edge of its parent, so an edge's visits, value and prior live with the node it leads to; the children of a node
are a linked list in the order in which they were tried. Values are seen by the player to move at the node they stand
for.

The rules try the untried actions of a node in the order of their priors, or say which one themselves, so one candidate
per node is enough to know: that is what makes a step down the tree cost its tried children only, not A.
"""

from typing import NamedTuple

import numpy as np

from games.core import lean_kernel
from mcts.softmax import highest

_HALF, _UNKNOWN = np.float32(0.5), np.float32(0.2)

_FIELDS = np.dtype(
    [
        ("visits", np.int32),  # simulations that came through or ended here, those under way included
        ("value_sum", np.float32),  # sum of the values of those that have come back
        ("under_way", np.int32),  # visits whose evaluation has not come back (several leaves together); else 0
        ("edge_prior", np.float32),  # prior of the action that leads here
        ("next_sibling", np.int32),  # -1 at the last one
        ("first_child", np.int32),  # -1 where no action was tried
        ("candidate", np.int32),  # the untried legal action to try next; -1 if none is left
        ("candidate_prior", np.float32),
        ("tried_mass", np.float32),  # sum of the tried actions' priors
        ("to_move", np.int8),  # player to move
        ("settled", np.bool_),  # its exact value is known and stands in raw_value: the game is over, or proven
        ("lower", np.int8),  # the mover is sure of at least this; -1 while nothing is proven
        ("upper", np.int8),  # the mover cannot have more than this; 1 while nothing is proven
        ("parent", np.int32),  # -1 at the root
        ("action", np.int32),  # the parent's action that leads here
        ("last_child", np.int32),
        ("raw_value", np.float32),  # the network's value; the exact one where settled
    ],
    align=True,
)
NODE = np.dtype((np.record, _FIELDS))
"""One node. A record, so that a step down the tree touches one line of the cache for each child."""


class Tree(NamedTuple):
    """What a search knows; a field's axes stand beside it.

    A tree's nodes lie together, for walking. Its priors and positions lie among those of the other trees, which get
    their newest node at about the same time: what is written in one go is one stretch of memory.
    """

    nodes: np.ndarray  # NODE [B, N]
    prior: np.ndarray  # float32 [N, B, A]: probability of each action; -1 where it is not legal or was tried
    states: np.ndarray  # [N, B, S]: the positions
    num_nodes: np.ndarray  # int32 [B]
    evaluations: np.ndarray  # int32 [B]: network evaluations spent
    root_prior: np.ndarray  # float32 [B, A]: the root's prior, noise included; 0 where not legal


def bytes_per_tree(nodes: int, actions: int, state_bytes: int) -> int:
    """Memory of one tree's arrays in bytes."""
    return nodes * (NODE.itemsize + 4 * actions + state_bytes) + 8 + 4 * actions


def allocate(states: np.ndarray, nodes: int, actions: int) -> Tree:
    """Trees that hold nothing but the positions of their roots, `states` [B, S].

    Node contents are written when a node is added, so they are not cleared here.
    """
    batch = len(states)
    tree = Tree(
        nodes=np.empty((batch, nodes), NODE),
        prior=np.empty((nodes, batch, actions), np.float32),
        states=np.empty((nodes, batch, states.shape[1]), states.dtype),
        num_nodes=np.zeros(batch, np.int32),
        evaluations=np.zeros(batch, np.int32),
        root_prior=np.zeros((batch, actions), np.float32),
    )
    tree.states[0] = states
    return tree


def clear_unused(tree: Tree) -> None:
    """Write zeros where nothing stands, so that equal searches have equal bytes whatever was in that memory before."""
    nodes = tree.nodes
    empty = np.arange(nodes.shape[1]) >= tree.num_nodes[:, None]
    nodes[empty] = np.zeros((), NODE)
    tree.prior[(empty | ((nodes["candidate"] < 0) & (nodes["first_child"] < 0))).T] = 0
    empty[:, 0] = False  # the root's position stands there before anything else
    tree.states[empty.T] = 0


@lean_kernel
def add_node(tree, b, parent, action, to_move):
    """A new node of tree b, linked behind its siblings; its edge counts as tried from here on."""
    index = tree.num_nodes[b]
    tree.num_nodes[b] = index + 1
    node = tree.nodes[b, index]
    node.visits = 0
    node.value_sum = 0.0
    node.under_way = 0
    node.edge_prior = 0.0
    node.next_sibling = -1
    node.first_child = -1
    node.candidate = -1
    node.candidate_prior = 0.0
    node.tried_mass = 0.0
    node.to_move = to_move
    node.settled = False
    node.lower = -1
    node.upper = 1
    node.parent = parent
    node.action = action
    node.last_child = -1
    if parent >= 0:
        _try_edge(tree.nodes[b], tree.prior[parent, b], parent, index)
    return index


@lean_kernel
def _try_edge(nodes, prior, parent, child):
    """Take the child's action from the untried ones of its parent and link the child."""
    above, below = nodes[parent], nodes[child]
    below.edge_prior = prior[below.action]
    above.tried_mass += below.edge_prior
    prior[below.action] = -1.0
    choose_candidate(above, prior)
    if above.first_child < 0:
        above.first_child = child
    else:
        nodes[above.last_child].next_sibling = child
    above.last_child = child


@lean_kernel
def choose_candidate(node, prior):
    """Note which of the untried actions of `node` comes next: that of highest prior (ties: lowest)."""
    node.candidate = highest(prior)
    if node.candidate >= 0:
        node.candidate_prior = prior[node.candidate]


@lean_kernel
def mean_value(node):
    """Mean value of a node's simulations for its own mover, without those under way."""
    return node.value_sum / np.float32(node.visits - node.under_way)


@lean_kernel
def edge_value(node, edge):
    """Mean value of an action for the mover of the node it is played at.

    A simulation under way counts as half lost: half way between a loss and the mean of those that have come back, or
    the node's own mean value less _UNKNOWN where none has (docs/log.md has what other virtual losses are worth).
    """
    total = edge.value_sum if edge.to_move == node.to_move else -edge.value_sum
    visits, away = np.float32(edge.visits), np.float32(edge.under_way)
    if away > 0:
        mean = total / (visits - away) if visits > away else mean_value(node) - _UNKNOWN
        total += away * ((mean - np.float32(1.0)) * _HALF)
    return total / visits


@lean_kernel
def backup(nodes, index, value):
    """Add one simulation that ended at node `index` with `value` for its player to move, up to the root.

    Where the way up passes a settled node, its exact value goes on in place of the simulation's.
    """
    mover = nodes[index].to_move
    while index >= 0:
        node = nodes[index]
        if node.settled:
            value, mover = node.raw_value, node.to_move
        node.visits += 1
        node.value_sum += value if node.to_move == mover else -value
        index = node.parent
