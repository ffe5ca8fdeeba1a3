"""The searches once more, slowly: one position, a node is an object, children are a dict, recursion instead of loops.

What the twins of all rules share; they themselves are in rule_twins.py. A twin is `doubtful` once two choices were so
close that rounding may part it from the search. The masked softmax is borrowed, and has a test of its own.
"""

import numpy as np

from mcts.softmax import masked_softmax

f32 = np.float32


class Node:
    """One position. Values are seen by its player to move."""

    def __init__(self, game, state, evaluate):
        self.state = state
        self.mover = int(game.to_move(state[None])[0])
        self.terminal = bool(game.over(state[None])[0])
        self.visits, self.value_sum, self.tried_mass = 0, f32(0), f32(0)
        self.children = {}  # action -> (prior, Node), in the order in which they were tried
        self.untried = {}  # action -> prior
        self.away, self.pending = 0, False  # visits whose value is yet to come, and whether the first one's is
        self.bounds = (-1, 1)
        self.exact = None  # the value, once it is known for certain
        if self.terminal:
            result = int(game.result(state[None])[0])
            self.exact = result if self.mover == 0 else -result
        else:
            logits, values = evaluate(game.observe(state[None]))
            self.logits, self.raw = logits[0], values[0]
            self.hand_out(softmax(game, state, self.logits), game.legal(state[None])[0])

    def hand_out(self, prior, legal):
        self.untried = {int(action): prior[action] for action in np.flatnonzero(legal)}

    def candidate(self):
        """The untried action of highest prior, the lowest of equals."""
        return min(self.untried, key=lambda action: (-self.untried[action], action), default=None)

    def mean(self):
        return f32(self.exact) if self.exact is not None else self.value_sum / f32(self.visits - self.away)

    def receive(self, value, mover):
        self.visits += 1
        self.value_sum = self.value_sum + (value if mover == self.mover else -value)

    def q(self, action):
        """Mean value of a tried action for this node's mover; what is under way is worth half of that and a loss."""
        child = self.children[action][1]
        done, sign = f32(child.visits - child.away), f32(1 if child.mover == self.mover else -1)
        if child.away == 0:
            return sign * child.mean()
        if done == 0:
            return (self.mean() - f32(0.2) - f32(1)) * f32(0.5)
        total = sign * child.mean() * done if child.exact is not None else sign * child.value_sum
        return (total + f32(child.away) * ((total / done - f32(1)) * f32(0.5))) / f32(child.visits)

    def sure(self, action):
        """(lower, upper) bound of a tried action for this node's mover."""
        child = self.children[action][1]
        lower, upper = child.bounds
        return (lower, upper) if child.mover == self.mover else (-upper, -lower)

    def open_actions(self):
        """Tried actions that may still be better than what is sure, in the order tried."""
        return [action for action in self.children if self.sure(action)[1] > self.bounds[0]]


def softmax(game, state, logits):
    """Prior [A] of one position; -1 where not legal."""
    prior = np.empty(game.num_actions, np.float32)
    prior[game.views[game.to_move(state[None])[0]]] = logits
    masked_softmax(prior, game.legal(state[None])[0])
    return prior


class TwinSearch:
    """`run(budget)`, then visits [A], value, evaluations and simulations of the root, policy() and choose()."""

    def __init__(self, game, state, evaluate, settings, streams=None, root_prior=None):
        self.game, self.evaluate, self.settings, self.streams = game, evaluate, settings, streams
        self.doubtful = False
        self.root = Node(game, state, evaluate)
        self.legal = game.legal(state[None])[0]
        if root_prior is not None:  # with noise mixed in
            self.root.hand_out(root_prior, self.legal)
        self.evaluations = 1

    def run(self, budget, leaves=1):
        if self.settings.root_symmetries:
            budget = self._average_root(budget)
        self.root.receive(self.root.raw, self.root.mover)
        self.prior = np.maximum(spread(self.root.untried, self.game.num_actions, 0), 0)
        self.begin(budget)
        while self.root.visits < budget and self.root.exact is None:
            self._together(budget, leaves)
        self.simulations = self.root.visits
        return self

    def _average_root(self, budget):
        """Logits and value of the root as the mean over the board's symmetries; the budget less what that costs."""
        actions, cells = self.game.symmetries
        if budget <= len(actions):
            return budget
        planes = self.game.observe(self.root.state[None])
        logits, values = np.zeros((len(actions), self.game.num_actions)), np.zeros(len(actions))
        logits[0], values[0] = self.root.logits, self.root.raw  # symmetry 0 is none
        for k in range(1, len(actions)):
            turned = planes.reshape(planes.shape[1], -1).copy()
            for j, cell in enumerate(cells[k]):
                turned[:, j] = planes.reshape(planes.shape[1], -1)[:, cell]
            answer, value = self.evaluate(turned.reshape(planes.shape))
            for j, action in enumerate(actions[k]):
                logits[k, action] = answer[0, j]
            values[k] = value[0]
        self.root.raw = f32(values.mean())
        self.root.hand_out(softmax(self.game, self.root.state, logits.mean(0).astype(np.float32)), self.legal)
        self.evaluations += len(actions) - 1
        return budget - (len(actions) - 1)

    # ---- one simulation --------------------------------------------------------------------------------------------

    def _together(self, budget, leaves):
        """Up to `leaves` positions, each found while those before are under way; then all of their values come back."""
        walkers, pending = leaves, []
        while walkers:
            found = [path for _ in range(walkers) if (path := self._walk(budget))]
            walkers = 0
            for path in found:
                if path[-1].terminal:  # needs no evaluation, so its walker goes again
                    self._come_back(path)
                    walkers += 1
                else:
                    pending.append(path)
        for path in pending:
            self._come_back(path)

    def _walk(self, budget):
        """The path to a new position, which counts as under way; None once the budget is spent or where it waits."""
        path, node = [], self.root
        while path or (self.root.visits < budget and self.root.exact is None):
            if node.pending:
                return None
            action = self.choose_at(node)
            path.append(node)
            if action not in node.children:
                path.append(self._expand(node, action))
                for each in path:
                    each.visits, each.away = each.visits + 1, each.away + 1
                return path
            node = node.children[action][1]
            if node.exact is not None and not node.pending:
                self._back_up([*path, node])
                path, node = [], self.root
        return None

    def _come_back(self, path):
        path[-1].pending = False
        for each in path:
            each.visits, each.away = each.visits - 1, each.away - 1
        self._back_up(path)

    def _back_up(self, path):
        if self.settings.solve:
            settle(self.root)
        node = path[-1]
        value, mover = (node.raw if node.exact is None else f32(node.exact)), node.mover
        for above in reversed(path):
            if above.exact is not None:
                value, mover = f32(above.exact), above.mover
            above.receive(value, mover)

    def _expand(self, node, action):
        child = Node(self.game, self.game.play(node.state, action), self.evaluate)
        child.pending = True
        prior = node.untried.pop(action)
        node.tried_mass = node.tried_mass + prior
        node.children[action] = (prior, child)
        self.evaluations += not child.terminal
        return child

    # ---- what every rule shares ------------------------------------------------------------------------------------

    def begin(self, budget):
        pass

    def best(self, scored, tolerance):
        """The first of the highest scores in [(score, choice)]; near ties are noted as doubtful."""
        top, choice = max(scored, key=lambda pair: pair[0])
        rivals = [score for score, other in scored if other != choice and score != top]
        self.doubtful |= any(top - score <= tolerance for score in rivals)
        return choice

    def sensible(self):
        """What proof leaves to play at the root."""
        root = self.root
        floor = max((root.sure(action)[0] for action in root.children), default=-1)
        kept = []
        for action in root.children:
            lower, upper = root.sure(action)
            hopeful = upper > floor and (floor == -1 or root.q(action) > floor)
            if hopeful or (floor > -1 and lower == floor):
                kept.append(action)
        if kept or not root.children:
            return kept
        return list(root.children) if not root.untried else [root.candidate()]

    @property
    def visits(self):
        return spread({a: child.visits for a, (_, child) in self.root.children.items()}, self.game.num_actions, 0)


def settle(node):
    """Bounds and exact values of a node and all below it, by their definition."""
    if node.terminal:
        if not node.pending:
            node.bounds = (node.exact, node.exact)
        return
    for _, child in node.children.values():
        settle(child)
    if node.children:
        bounds = [node.sure(action) for action in node.children]
        upper = 1 if node.untried else max(upper for _, upper in bounds)
        node.bounds = (max(lower for lower, _ in bounds), upper)
    if node.bounds[0] == node.bounds[1]:
        node.exact = node.bounds[0]


def spread(values, actions, otherwise):
    out = np.full(actions, otherwise, np.float64)
    for action, value in values.items():
        out[action] = value
    return out
