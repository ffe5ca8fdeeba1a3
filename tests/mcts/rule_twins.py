"""The selection rules once more, slowly.

Each follows the words and formulas of its paper and of the docstring in mcts/. PUCT repeats the float32 arithmetic in
the order written there, so that it agrees to the last bit; the others are float64, over all actions at once. The random
numbers are borrowed, in the order that the rules name.
"""

import math

import numpy as np
from search_twin import TwinSearch, f32, spread

from mcts import Gumbel, Puct, Regularised
from mcts.streams import uniform

# ---- PUCT ----------------------------------------------------------------------------------------------------------


class PuctTwin(TwinSearch):
    """Silver et al. 2018; first-play urgency, forced playouts and pruning after Wu 2019."""

    def choose_at(self, node):
        rule = self.settings
        c = f32(rule.c)
        if rule.c_log:
            c = c + f32(rule.c_log) * f32(math.log((f32(node.visits) + f32(rule.c_base)) / f32(rule.c_base)))
        weight = c * f32(math.sqrt(node.visits))
        scored = []
        for action in node.open_actions():
            prior, child = node.children[action]
            if node is self.root and rule.noise > 0 and self._is_forced(prior, child.visits):
                return action
            scored.append((node.q(action) + weight * prior / (f32(1) + f32(child.visits)), action))
        candidate = node.candidate()
        if candidate is not None:
            q = node.mean() - f32(rule.fpu_reduction) * f32(math.sqrt(node.tried_mass))
            scored.append((q + weight * node.untried[candidate], candidate))
        return self.best(scored, 1e-6 if rule.c_log else 0)

    def _is_forced(self, prior, visits):
        wanted = math.sqrt(self.settings.forced_playouts * prior * (self.root.visits - 1))
        self.doubtful |= abs(visits - wanted) < 1e-6
        return visits < wanted

    def choose(self):
        return self._most_visited() if self.settings.by_visits else self._surest()

    def _most_visited(self):
        kept = self.sensible()
        return max(range(len(self.visits)), key=lambda a: (self.visits[a] if a in kept else -1, f32(self.prior[a]), a))

    def _surest(self):
        """Of the sensible actions with a tenth of the most visits, that of the highest Q less lcb / sqrt(n)."""
        kept = self.sensible() or set(range(len(self.visits)))
        most = max(int(self.visits[a]) for a in kept)
        if most == 0:
            return max(kept, key=lambda a: (f32(self.prior[a]), a))
        lcb = f32(self.settings.lcb)
        bounds = {a: self.root.q(a) - lcb / f32(math.sqrt(self.visits[a])) for a in kept if 10 * self.visits[a] >= most}
        return max(bounds, key=lambda a: (bounds[a], f32(self.prior[a]), a))

    def policy(self):
        """Shares of visits without those that forcing alone explains."""
        rule, best = self.settings, self._most_visited()
        c = rule.c + rule.c_log * math.log((self.root.visits + rule.c_base) / rule.c_base)
        weight = c * math.sqrt(self.root.visits) * self.prior
        kept = self.visits
        top = self._value(best) + weight[best] / (1 + kept[best])
        for action in set(self.root.children) - {best} if rule.noise > 0 and rule.forced_playouts > 0 else ():
            for _ in range(math.ceil(math.sqrt(rule.forced_playouts * self.prior[action] * self.visits.sum()))):
                if kept[action] > 0 and self._value(action) + weight[action] / kept[action] <= top:
                    kept[action] -= 1
            if kept[action] == 1:
                kept[action] = 0
        out = np.zeros(len(kept))
        for action in self.sensible():
            out[action] = kept[action] if self.visits[action] else 1
        return out / out.sum() if out.sum() else self.prior

    def _value(self, action):
        return float(self.root.q(action)) if action in self.root.children else 0.0


# ---- Gumbel --------------------------------------------------------------------------------------------------------


class GumbelTwin(TwinSearch):
    """Danihelka et al. 2022."""

    def begin(self, budget):
        rule = self.settings
        self.gumbels = np.zeros(self.game.num_actions)
        if rule.noise > 0:
            numbers = [uniform(self.streams, 0) for _ in range(self.game.num_actions)]
            self.gumbels = np.array([rule.noise * -math.log(-math.log(number)) for number in numbers])
        self.rounds = list(halving(min(rule.considered, int(self.legal.sum())), budget - 1))

    def choose_at(self, node):
        if node is self.root:
            return self._choose_at_root()
        improved = self.improved(node)
        total = sum(child.visits for _, child in node.children.values())
        gaps = [(improved[a] - node.children[a][1].visits / (1 + total), a) for a in node.open_actions()]
        if node.untried:
            gaps.append((improved[node.candidate()], node.candidate()))
        return self.best(gaps, 1e-5)

    def _choose_at_root(self):
        wanted = self.rounds[self.root.visits - 1]
        if wanted == 0:
            first = {a: self.gumbels[a] + math.log(p) for a, p in self.root.untried.items()}
            return self.best([(first[a], a) for a in sorted(first)], 1e-5)
        scores = self.scores()
        level = [a for a, (_, child) in self.root.children.items() if child.visits == wanted]
        return self.best([(scores[a], a) for a in level], 2e-5 * (1 + max(abs(scores[a]) for a in level)))

    def sigma(self, node):
        """sigma(completed Q) of every legal action, by equations 8 and 10."""
        rule = self.settings
        tried = {a: (float(p), float(node.q(a)), child.visits) for a, (p, child) in node.children.items()}
        total = sum(n for _, _, n in tried.values())
        mixed = float(node.raw)
        if tried:
            mean = sum(p * q for p, q, _ in tried.values()) / sum(p for p, _, _ in tried.values())
            mixed = (float(node.raw) + total * mean) / (1 + total)
        completed = {a: q for a, (_, q, _) in tried.items()} | dict.fromkeys(node.untried, mixed)
        low, high = min(completed.values()), max(completed.values())
        if rule.rescale:
            scaled = {a: (q - low) / max(high - low, 1e-8) for a, q in completed.items()}
        else:
            scaled = {a: (q + 1) / 2 for a, q in completed.items()}
        most = max((n for _, _, n in tried.values()), default=0)
        return {a: (rule.c_visit + most) * rule.c_scale * q for a, q in scaled.items()}

    def improved(self, node):
        """softmax(log P + sigma(completed Q)), equation 11."""
        sigma = self.sigma(node)
        prior = {a: float(p) for a, (p, _) in node.children.items()} | {a: float(p) for a, p in node.untried.items()}
        top = max(sigma.values())
        weights = {a: prior[a] * math.exp(sigma[a] - top) for a in sigma}
        return {a: weight / sum(weights.values()) for a, weight in weights.items()}

    def scores(self):
        """g + log P + sigma(Q) at the root."""
        return {a: self.gumbels[a] + math.log(self.prior[a]) + s for a, s in self.sigma(self.root).items()}

    def policy(self):
        improved = self.improved(self.root)
        if self.settings.solve:
            improved = without(improved, [*self.sensible(), *self.unproven()])
        return spread(improved, self.game.num_actions, 0)

    def unproven(self):
        """Untried actions, unless a win is at hand."""
        return [] if self.root.bounds[0] == 1 else list(self.root.untried)

    def choose(self):
        scores, kept = self.scores(), self.sensible()
        most = max((self.visits[a] for a in kept), default=0)
        final = [(scores[a], a) for a in (kept or scores) if self.visits[a] == most]
        return self.best(sorted(final, key=lambda pair: -pair[1]), 2e-5 * (1 + max(abs(s) for s, _ in final)))


def halving(considered, simulations):
    """Visits so far of the action that each simulation goes to.

    There are log2(considered) phases, and each may spend the same share of the simulations on the actions that are
    left, in rounds of one visit each; then the better half of them is left, but never fewer than two.
    """
    if considered == 1:
        return range(simulations)
    levels, left = [], considered
    share = simulations / math.ceil(math.log2(considered))
    while len(levels) < simulations:
        rounds = max(1, math.floor(share / left))
        begun = levels[-1] + 1 if levels else 0
        for level in range(begun, begun + rounds):
            levels.extend([level] * left)
        left = max(2, left // 2)
    return levels[:simulations]


def without(policy, kept):
    remaining = {a: p for a, p in policy.items() if a in kept}
    total = sum(remaining.values())
    return {a: p / total for a, p in remaining.items()} if total > 0 else policy


# ---- regularised policy --------------------------------------------------------------------------------------------


class RegularisedTwin(TwinSearch):
    """Grill et al. 2020: actions are drawn from lambda P / (alpha - Q)."""

    def shares(self, node):
        """The policy at one node, by bisection for alpha."""
        prior = {a: float(p) for a, (p, _) in node.children.items()} | {a: float(p) for a, p in node.untried.items()}
        below = node.visits - 1
        if below == 0:
            return prior
        weight = self.settings.c * math.sqrt(below) / (self.game.num_actions + below)
        urgency = float(node.mean()) - self.settings.fpu_reduction * math.sqrt(node.tried_mass)
        q = {a: float(node.q(a)) for a in node.children} | dict.fromkeys(node.untried, urgency)
        low, high = max(q.values()), max(q.values()) + 2 * weight  # at `high` every term is at most P / 2
        for _ in range(100):
            alpha = (low + high) / 2
            if alpha <= max(q.values()) or sum(weight * prior[a] / (alpha - q[a]) for a in q) > 1:
                low = alpha
            else:
                high = alpha
        return {a: weight * prior[a] / (high - q[a]) for a in q}

    def choose_at(self, node):
        """One number for which tried action or whether an untried one, another for which of the untried."""
        shares = self.shares(node)
        open_ = {a: shares[a] for a in node.open_actions()}
        if node.untried:
            open_[None] = sum(shares[a] for a in node.untried)
        action = self._draw(open_)
        return action if action is not None else self._draw(dict(sorted(node.untried.items())))

    def _draw(self, weights):
        threshold = uniform(self.streams, 0) * sum(map(float, weights.values()))
        for action, weight in weights.items():
            drawn, threshold = action, threshold - float(weight)
            self.doubtful |= abs(threshold) < 1e-6
            if threshold < 0:
                break
        return drawn

    def policy(self):
        shares = self.shares(self.root)
        if self.settings.solve:
            untried = [] if self.root.bounds[0] == 1 else list(self.root.untried)
            shares = without(shares, [*self.sensible(), *untried])
        total = sum(shares.values())
        return spread({a: share / total for a, share in shares.items()}, self.game.num_actions, 0)

    def choose(self):
        policy = self.policy()
        return self.best([(policy[a], a) for a in reversed(range(len(policy)))], 1e-5)


TWINS = {Puct: PuctTwin, Gumbel: GumbelTwin, Regularised: RegularisedTwin}


def twin_of(game, state, evaluate, settings, streams=None, root_prior=None):
    return TWINS[type(settings)](game, state, evaluate, settings, streams, root_prior)
