"""Random games to check promises on, and what the checks share."""

from dataclasses import dataclass

import numpy as np

from games.core import OVER, TO_MOVE, Game

POSITIONS_BYTES = 1 << 19


class PromiseBroken(AssertionError):
    """A game does not keep a promise of the contract; the message says which, where, and what is likely wrong."""


@dataclass
class Games:
    """Random games side by side. A row stays as it is once its game has ended, or has no legal action."""

    states: np.ndarray  # [T + 1, B, S]
    actions: np.ndarray  # int64 [T, B]; -1 where no move was made

    def positions(self, count: int = 4000) -> np.ndarray:
        """Distinct positions that occurred, [N, S]; spread over the games where there are more than `count`."""
        rows = self.states.reshape(-1, self.states.shape[2])
        used = (rows != rows[0]).any(axis=0)  # to sort whole histories of the longest length takes minutes
        return spread(rows[np.unique(rows[:, used], axis=0, return_index=True)[1]], count)

    def moves(self, count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
        """Positions and the actions played in them, [N, S] and int64 [N]."""
        made = self.actions >= 0
        return spread(self.states[:-1][made], count), spread(self.actions[made], count)


def random_games(game: Game, seed: int, count: int = 64) -> Games:
    """Play `count` random games. Every other game prefers actions that were rarely played, to meet the rare ones.

    They are fewer where `count` positions would take more than POSITIONS_BYTES.
    """
    rng = np.random.default_rng(seed)
    count = min(count, max(8, POSITIONS_BYTES // game.reset(1).nbytes))
    states = [game.reset(count)]
    actions = []
    played = np.zeros(game.num_actions)
    for _ in range(game.max_length + 1):
        masks = game.legal(states[-1])
        moving = (states[-1][:, OVER] == 0) & masks.any(axis=1)
        if not moving.any():
            break
        score = rng.random(masks.shape)
        score[::2] -= np.minimum(played, 1e6)
        chosen = np.where(moving, np.where(masks, score, -np.inf).argmax(axis=1), -1)
        states.append(after(game, states[-1], chosen))
        actions.append(chosen)
        played += np.bincount(chosen[moving], minlength=game.num_actions)
    return Games(np.stack(states), np.array(actions, np.int64).reshape(-1, count))


def after(game, states, actions):
    """The positions after `actions`; rows with action -1 stay."""
    result = states.copy()
    moving = actions >= 0
    moved = states[moving]
    game.advance(moved, actions[moving])
    result[moving] = moved
    return result


def spread(rows, count):
    return rows if len(rows) <= count else rows[np.linspace(0, len(rows) - 1, count).astype(int)]


def show(game, state):
    """A position for a message: drawn if that works, else its words."""
    try:
        return "\n" + str(game.draw(state))
    except Exception:
        return f" state {state.tolist()}"


def refuse_first(game, states, bad, message):
    """Raise PromiseBroken showing the first of `states` that is `bad` [N]."""
    if np.any(bad):
        state = states[np.flatnonzero(bad)[0]]
        raise PromiseBroken(f"{message}. Position:{show(game, state)}")


def in_view(game, states, masks):
    """Masks [N, A] over the actions as the players to move see them."""
    first = states[:, TO_MOVE, None] % 2 == 0
    return np.where(first, masks[:, game.views[0]], masks[:, game.views[1]])


def step(game, states, actions, fill=0):
    """Step copies of `states`, with `fill` in the arrays handed over."""
    states = states.copy()
    masks = np.full((len(states), game.num_actions), bool(fill))
    planes = np.full((len(states), *game.observation_shape), fill, np.float32)
    game.step(states, actions, masks, planes)
    return states, masks, planes


def rows_differ(one, two):
    differs = (one != two) & ~(np.isnan(one) & np.isnan(two))
    return differs.any(axis=tuple(range(1, differs.ndim)))


def is_table(table, width):
    return (
        isinstance(table, np.ndarray)
        and np.issubdtype(table.dtype, np.integer)
        and table.ndim == 2
        and table.shape[1] == width
        and len(table) > 0
    )
