"""The selection rule PUCT.

    argmax_a  Q(a) + c P(a) sqrt(N) / (1 + n(a))

Silver et al. 2018, "A general reinforcement learning algorithm that masters chess, shogi, and Go through self-play",
supplement, section "Search": n(a) visits of the action, N visits of the node, P prior, Q mean value for the player to
move. An untried action has Q = V - r sqrt(sum of the tried actions' priors), V the node's mean value: first-play
urgency as in KataGo (Wu 2019, arXiv 1902.10565, section 2).

Worked example: c = 1, r = 0, N = 4, V = 0.5; action x: P = 0.6, n = 2, Q = 0.5; action y: P = 0.4, untried. Then
x scores 0.5 + 0.6 * 2 / 3 = 0.9 and y scores 0.5 + 0.4 * 2 / 1 = 1.3: y is chosen.
"""

import math

import numpy as np

from games.core import kernel


@kernel
def select(tree, b, index, c, fpu_reduction):
    """The child PUCT chooses at one node; -1 for the untried candidate. Ties go to what was tried first.

    All arithmetic is float32, in the order written, so that a twin can repeat it bit by bit.
    """
    nodes = tree.nodes[b]
    node = nodes[index]
    visits = np.float32(node.visits)
    weight = c * np.float32(math.sqrt(visits))
    best, best_score = -1, np.float32(-np.inf)
    child = node.first_child
    while child >= 0:
        edge = nodes[child]
        n = np.float32(edge.visits)
        q = edge.value_sum / n
        if edge.to_move != node.to_move:
            q = -q
        score = q + weight * edge.edge_prior / (np.float32(1.0) + n)
        if score > best_score:
            best, best_score = child, score
        child = edge.next_sibling
    if node.candidate >= 0:
        q = node.value_sum / visits - fpu_reduction * np.float32(math.sqrt(node.tried_mass))
        if q + weight * node.candidate_prior > best_score:
            best = -1
    return best
