"""What the player to move sees."""

import math

import numpy as np

from games.core import TO_MOVE, Game, GameError
from games.enumeration import expand
from games.promises.sampling import (
    PromiseBroken,
    after,
    in_view,
    is_table,
    random_games,
    refuse_first,
    rows_differ,
    show,
)


def check_observation(game: Game, seed: int) -> None:
    """Observations are finite float32 of the declared shape."""
    states = random_games(game, seed).positions()
    planes = game.observe(states)
    if planes.dtype != np.float32 or planes.shape != (len(states), *game.observation_shape):
        raise PromiseBroken(f"observe gives {planes.dtype} {planes.shape}, not float32 [B, *{game.observation_shape}]")
    bad = ~np.isfinite(planes).all(axis=(1, 2, 3))
    refuse_first(game, states, bad, "an observation holds nan or infinity: is something divided by a count of 0")


def _flat(game, states):
    """What is seen in each of `states`, of which there may be none, [B, F]."""
    return game.observe(states).reshape(len(states), math.prod(game.observation_shape))


def check_observation_tells_legal(game: Game, seed: int) -> None:
    """Positions that look the same have the same legal actions, as the mover sees them."""
    states = random_games(game, seed, 256).positions(20000)
    states = states[~game.over(states)]
    planes = _flat(game, states)
    masks = in_view(game, states, game.legal(states))
    seen: dict[bytes, int] = {}
    for b in range(len(states)):
        first = seen.setdefault(planes[b].tobytes(), b)
        if (masks[first] != masks[b]).any():
            raise PromiseBroken(
                "two positions look the same and allow different actions: add a plane for what is hidden (a pass, a "
                "swap, the last move), or correct `views`. Positions:"
                f"{show(game, states[first])}{show(game, states[b])}"
            )


def check_views(game: Game, seed: int) -> None:
    """`views` are permutations; what is seen allows the same to both players, and a move changes it in the same way."""
    if not (np.sort(game.views, axis=1) == np.arange(game.num_actions)).all():
        raise PromiseBroken(f"views must hold each action once per player: {game.views.tolist()}")
    _refuse_opposite_meaning(game, seed)
    movers, seen, change = _changes(game, random_games(game, seed))
    if len(np.unique(movers)) < 2:  # no player moves twice: nothing to compare
        return
    typical = [_direction(change[movers == p]) for p in (0, 1)]
    for j in np.unique(seen):
        samples = [change[(movers == p) & (seen == j)] for p in (0, 1)]
        if min(map(len, samples)) < ENOUGH:
            continue
        effect = [_direction(samples[p]) - typical[p] for p in (0, 1)]
        entry = np.abs(effect[0] - effect[1]).max(axis=0).argmax()
        if np.abs(effect[0] - effect[1])[:, entry].max() > FOREIGN:
            raise PromiseBroken(
                f"action {j} of the mover's frame changes entry {_place(game, entry)} of what its player sees next "
                f"for one player and not for the other: {FORGOTTEN}"
            )


def _refuse_opposite_meaning(game, seed):
    """An entry that speaks for an action with one player does not speak against it with the other."""
    states, least = _positions(game, seed)
    states = states[~game.over(states)]
    entries = (_flat(game, states) != 0).astype(np.float32)
    masks = in_view(game, states, game.legal(states)).astype(np.float32)
    movers = states[:, TO_MOVE]
    (said, samples), (other, others) = (_meaning(masks[movers == p], entries[movers == p]) for p in (0, 1))
    apart = np.abs(said - other) * (np.minimum(samples, others) >= least)[:, None]
    if apart.max() > OPPOSITE:
        j, entry = np.unravel_index(apart.argmax(), apart.shape)
        raise PromiseBroken(
            f"entry {_place(game, entry)} of what is seen speaks for action {j} of the mover's frame with one player "
            f"and against it with the other: {FORGOTTEN}"
        )


def _positions(game, seed):
    """All positions of a small game, else those of random games; and how many make a share that can be trusted."""
    try:
        return expand(game, SMALL).states, FEW
    except GameError:
        return random_games(game, seed, 256).positions(), POSITIONS


def _meaning(masks, entries):
    """How much oftener an entry is set where an action is legal [A, F], and the positions of the rarer kind [A]."""
    legal, illegal = masks.sum(axis=0), (1 - masks).sum(axis=0)
    share = masks.T @ entries / np.maximum(legal, 1)[:, None]
    return share - (1 - masks).T @ entries / np.maximum(illegal, 1)[:, None], np.minimum(legal, illegal)


def _place(game, entry):
    plane, row, col = np.unravel_index(entry, game.observation_shape)
    return f"({plane}, {row}, {col})"


FORGOTTEN = (
    "observe or `views` forgets the mover's frame (own pieces first; a board turned for player 1 needs its actions "
    "turned in views[1])"
)
POSITIONS = 30  # of each player in which an action is legal, and in which it is not
SMALL, FEW = 5000, 5  # a game of no more positions is looked at whole, where chance misleads nobody and fewer will do
OPPOSITE = 1.15  # difference of two such shares; beyond 1 their signs are opposite, and honest games stay below it
ENOUGH = 10  # samples of an action by each player
FOREIGN = 0.8  # difference of two shares that no symmetric game comes near with that many samples


def _changes(game, games):
    """Of moves that their player follows up: player [N], action as seen [N], change of what is seen [N, F]."""
    movers, seen, change = [], [], []
    T, B = games.actions.shape
    planes = game.observe(games.states.reshape(T * B + B, -1)).reshape(T + 1, B, -1)
    back = np.argsort(game.views, axis=1)
    for b in range(B):
        for player in (0, 1):
            turns = np.flatnonzero((games.actions[:, b] >= 0) & (games.states[:-1, b, TO_MOVE] == player))
            movers += [player] * (len(turns) - 1)
            seen += back[player, games.actions[turns[:-1], b]].tolist()
            change += list(np.sign(np.diff(planes[turns, b], axis=0)).astype(np.int8))
    return np.array(movers), np.array(seen), np.array(change)


def _direction(change):
    """Shares of samples in which each entry rose and fell, [2, F]."""
    return np.stack([(change > 0).mean(axis=0), (change < 0).mean(axis=0)])


def check_symmetries(game: Game, seed: int) -> None:
    """Symmetries are a group of permutations, and a game played in the mirror is the same game."""
    actions, cells = game.symmetries
    for name, table, width in (
        ("actions", actions, game.num_actions),
        ("cells", cells, game.observation_shape[1] * game.observation_shape[2]),
    ):
        if not is_table(table, width) or len(table) != len(actions):
            raise PromiseBroken(f"symmetries.{name} must be integers [K, {width}]")
        if not (np.sort(table, axis=1) == np.arange(width)).all():
            raise PromiseBroken(f"symmetries.{name} has a row that is no permutation of 0 to {width - 1}")
        if not (table[0] == np.arange(width)).all():
            raise PromiseBroken(f"row 0 of symmetries.{name} must be the identity")
    group = {(a.tobytes(), c.tobytes()) for a, c in zip(actions, cells, strict=True)}
    for k in range(len(actions)):
        for m in range(len(actions)):
            if (actions[k][actions[m]].tobytes(), cells[k][cells[m]].tobytes()) not in group:
                raise PromiseBroken(f"symmetry {k} after symmetry {m} is not among the symmetries: one is missing")
    games = random_games(game, seed, 32)
    for k in range(len(actions)):
        _find_mirrored(game, games, k)


def _find_mirrored(game, games, k):
    """Turn `k` of player 0's view is some turn of player 1's, mostly `k`; not so where his board is transposed."""
    try:
        _play_mirrored(game, games, k, k)
    except PromiseBroken:
        turned = (game.views[0] != game.views[1]).any()
        if not turned or not any(_is_mirrored(game, games, k, m) for m in range(len(game.symmetries.actions))):
            raise


def _is_mirrored(game, games, k, m):
    try:
        _play_mirrored(game, games, k, m)
    except PromiseBroken:
        return False
    return True


def _play_mirrored(game, games, *turn):
    """Play `games` again with the actions of player p mapped by symmetry turn[p]; all that is seen must map too."""
    actions, cells = game.symmetries.actions[list(turn)], game.symmetries.cells[list(turn)]
    back, mirror, k = np.argsort(game.views, axis=1), np.argsort(actions, axis=1), turn[0]
    states = games.states[0]
    hint = "; `actions` and `cells` must turn the same way (position'[j] = position[table[k, j]]), as the mover sees it"
    for t in range(len(games.states)):
        straight = games.states[t]
        shape = (len(states), game.observation_shape[0], -1)
        running = ~game.over(straight)
        wrong = game.over(states) != game.over(straight)
        wrong |= game.result(states) != game.result(straight)
        refuse_first(game, straight, wrong, f"played through symmetry {k}, this game ends differently{hint}")
        movers = straight[:, TO_MOVE]
        planes = np.take_along_axis(game.observe(straight).reshape(shape), cells[movers][:, None], 2)
        wrong = running & rows_differ(planes, game.observe(states).reshape(shape))
        refuse_first(game, straight, wrong, f"symmetry {k} does not map this position to the one it looks like{hint}")
        masks = np.take_along_axis(in_view(game, straight, game.legal(straight)), actions[movers], 1)
        wrong = (masks != in_view(game, states, game.legal(states))).any(axis=1)
        refuse_first(game, straight, wrong, f"symmetry {k} does not map the legal actions of this position{hint}")
        if t < len(games.actions):
            played = games.actions[t]
            mapped = game.views[states[:, TO_MOVE], mirror[movers, back[movers, played]]]
            states = after(game, states, np.where(played >= 0, mapped, -1))
