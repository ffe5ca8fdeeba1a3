"""PUCT once more, slowly: one position, a node is an object, children are a dict, recursion instead of loops.

It follows the words of mcts/puct.py and mcts/tree.py: float32 arithmetic in the order written there. Only the masked
softmax is borrowed (the root prior of a search with budget 1), and that has a test of its own.
"""

import math

import numpy as np

from mcts import Puct, search

f32 = np.float32


class Node:
    def __init__(self, game, state, evaluate):
        self.state = state
        self.mover = int(game.to_move(state[None])[0])
        self.terminal = bool(game.over(state[None])[0])
        self.visits, self.value_sum, self.tried_mass = 0, f32(0), f32(0)
        self.children = {}  # action -> (prior, Node), in the order in which they were tried
        if self.terminal:
            result = int(game.result(state[None])[0])
            self.value = f32(result if self.mover == 0 else -result)
        else:
            legal = np.flatnonzero(game.legal(state[None])[0])
            prior = search(game, state[None], evaluate, 1, Puct()).root_prior[0]
            self.untried = {int(action): prior[action] for action in legal}
            self.value = evaluate(game.observe(state[None]))[1][0]

    def candidate(self):
        """The untried action of highest prior, the lowest of equals."""
        return min(self.untried, key=lambda action: (-self.untried[action], action), default=None)

    def mean(self):
        return self.value_sum / f32(self.visits)

    def receive(self, value, mover):
        self.visits += 1
        self.value_sum = self.value_sum + (value if mover == self.mover else -value)


class TwinSearch:
    """`run(budget)`, then visits [A], value, evaluations and simulations of the root."""

    def __init__(self, game, state, evaluate, settings):
        self.game, self.evaluate, self.settings = game, evaluate, settings
        self.root = Node(game, state, evaluate)
        self.root.receive(self.root.value, self.root.mover)
        self.simulations = self.evaluations = 1

    def run(self, budget):
        while self.simulations < budget:
            self._simulate(self.root)
            self.simulations += 1
        return self

    def _simulate(self, node):
        """One simulation from `node` down; returns the leaf's value and whose value it is."""
        if node.terminal:
            value, mover = node.value, node.mover
        else:
            action = self._choose(node)
            if action in node.children:
                value, mover = self._simulate(node.children[action][1])
            else:
                value, mover = self._expand(node, action)
        node.receive(value, mover)
        return value, mover

    def _expand(self, node, action):
        child = Node(self.game, self.game.play(node.state, action), self.evaluate)
        prior = node.untried.pop(action)
        node.tried_mass = node.tried_mass + prior
        node.children[action] = (prior, child)
        self.evaluations += not child.terminal
        child.receive(child.value, child.mover)
        return child.value, child.mover

    def _choose(self, node):
        weight = f32(self.settings.c) * f32(math.sqrt(node.visits))
        best, best_score = None, f32(-np.inf)
        for action, (prior, child) in node.children.items():
            q = child.mean() if child.mover == node.mover else -child.mean()
            score = q + weight * prior / (f32(1) + f32(child.visits))
            if score > best_score:
                best, best_score = action, score
        candidate = node.candidate()
        if candidate is not None:
            q = node.mean() - f32(self.settings.fpu_reduction) * f32(math.sqrt(node.tried_mass))
            if q + weight * node.untried[candidate] > best_score:
                best = candidate
        return best

    @property
    def visits(self):
        counts = np.zeros(self.game.num_actions, np.int64)
        for action, (_, child) in self.root.children.items():
            counts[action] = child.visits
        return counts
