"""What the rules of a game do, as a digest: a network plays by the rules that it was trained under.

Random games are played from fixed random streams; what is seen of them, position by position, goes into the digest:
legal actions, who is to move, what he sees, the end and the result. A game written anew that does the same keeps its
fingerprint. What random games do not meet stays unseen, such as a change of a rare rule.
"""

from __future__ import annotations

import hashlib

import numpy as np

from games import Game
from mcts.streams import seed_streams, uniforms

_COMPILED, _OTHER = (64, 1 << 15), (8, 1 << 11)
"""Games and positions at most, of compiled rules and of others (OpenSpiel's), which may take milliseconds a position.
To change these is to change every fingerprint."""


_KNOWN: dict[tuple, str] = {}


def fingerprint(game: Game) -> str:
    """The same for games that behave the same, on any machine; hex digits. Computed once per board and process."""
    board = type(game), game.rules, tuple(game.params), tuple(sorted(game.settings.items()))
    if board not in _KNOWN:
        _KNOWN[board] = _played(game)
    return _KNOWN[board]


def _played(game: Game) -> str:
    digest = hashlib.sha256(repr((game.num_actions, game.observation_shape, game.views.tolist())).encode())
    count, left = _COMPILED if game.compiled else _OTHER
    states, streams = game.reset(count), seed_streams(0, np.arange(count))
    for _ in range(game.max_length + 1):
        masks = game.legal(states)
        _add(digest, game, states, masks)
        running = ~game.over(states) & masks.any(axis=1)
        left -= len(states)
        if left < 0 or not running.any():
            break
        states, streams = states[running], streams[running]
        game.advance(states, game.pick(states, uniforms(streams)))
    return digest.hexdigest()


def _add(digest, game: Game, states: np.ndarray, masks: np.ndarray) -> None:
    """Planes as they are learnt from, in half precision, where the last bit of a machine's arithmetic does not show."""
    with np.errstate(over="ignore"):
        planes = (game.observe(states) + 0.0).astype("<f2")  # -0.0 is 0.0
    header = np.stack([game.to_move(states), game.over(states), game.result(states)]).astype(np.int8)
    for part in (header, np.packbits(masks, axis=1), planes):
        digest.update(part.tobytes())
