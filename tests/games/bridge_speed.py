"""The bridge to OpenSpiel against a plain Python loop over OpenSpiel: positions per second, side by side.

    python -m tests.games.bridge_speed "havannah(board_size=4)" 256    game, games side by side

Both play the same random moves and write, for each position, the legal actions as a mask and the observation as
float32 into arrays. The plain loop keeps OpenSpiel's states in a list, changed in place, or cloned before each move as
a search has to. CPU time, best of several.
"""

import sys
import time

import numpy as np
from open_spiel.python.observation import make_observation

from games import make, openspiel


def chosen_moves(game, count):
    """Random moves of `count` games side by side, a list per ply of (live rows, actions)."""
    rng, states, moves = np.random.default_rng(0), game.reset(count), []
    while len(live := np.flatnonzero(~game.over(states))):
        part = states[live]
        actions = np.where(game.legal(part), rng.random((len(live), game.num_actions)), -1).argmax(1)
        game.advance(part, actions)
        states[live] = part
        moves.append((live, actions))
    return moves


def plain(reference, moves, count, clone):
    """Seconds of the loop over OpenSpiel."""
    observation, A = make_observation(reference), reference.num_distinct_actions()
    states = [reference.new_initial_state() for _ in range(count)]
    begun = time.process_time()
    for live, actions in moves:
        masks = np.zeros((len(live), A), np.bool_)
        planes = np.empty((len(live), len(observation.tensor)), np.float32)
        for b, (row, action) in enumerate(zip(live.tolist(), actions.tolist(), strict=True)):
            state = states[row].clone() if clone else states[row]
            state.apply_action(action)
            states[row] = state
            masks[b, state.legal_actions()] = True
            if not state.is_terminal():
                observation.set_from(state, state.current_player())
                planes[b] = observation.tensor
    return time.process_time() - begun


def bridge(game, moves, count):
    """Seconds of `step` over the same moves; nothing is remembered from an earlier call."""
    game.positions.forget()
    states = game.reset(count)
    begun = time.process_time()
    for live, actions in moves:
        part = states[live]
        game.step(part, actions, np.empty((len(live), game.num_actions), np.bool_),
                  np.empty((len(live), *game.observation_shape), np.float32))  # fmt: skip
        states[live] = part
    return time.process_time() - begun


def compare(name, count, repeats=5):
    """Microseconds per position: the plain loop in place, with clones, and the bridge."""
    game, reference = make("openspiel", id=name), openspiel.load(name)
    moves = chosen_moves(game, count)
    total = sum(len(live) for live, _ in moves)
    runs = [lambda: plain(reference, moves, count, False), lambda: plain(reference, moves, count, True),
            lambda: bridge(game, moves, count)]  # fmt: skip
    return [1e6 * min(run() for _ in range(repeats)) / total for run in runs]


if __name__ == "__main__":
    in_place, cloned, ours = compare(sys.argv[1], int(sys.argv[2]))
    print(f"{sys.argv[1]}: plain loop {in_place:.2f} us a position, with clones {cloned:.2f}, bridge {ours:.2f}: "
          f"{ours / in_place:.2f} and {ours / cloned:.2f} times as long")  # fmt: skip
