"""What tests of several games share: drawn boards with a change, random positions, slow twins, damaged files."""

import numpy as np

from games.core import TO_MOVE


def edited(board, *replacements):
    """A drawn board with each (old, new) of `replacements` put in its place."""
    for old, new in replacements:
        assert old in board
        board = board.replace(old, new)
    return board


def play_beside(game, twin, rng, check=lambda state: None):
    """One random game, move by move like its twin's; `check` looks at each position [1, S]."""
    state = game.reset(1)
    while legal := twin.legal():
        assert np.flatnonzero(game.legal(state)[0]).tolist() == legal
        action = rng.choice(legal)
        twin.play(action)
        game.advance(state, np.array([action]))
        assert state[0, TO_MOVE] == twin.player
        assert game.observe(state)[0].tolist() == twin.views()
        check(state)
    assert game.over(state)[0]
    assert game.result(state)[0] == {None: 0, 0: 1, 1: -1}[twin.winner()]


def random_positions(game, count, rng, low=0, high=None):
    """Running positions after a random number of random moves, low to high, [<= count, S]."""
    states = game.reset(count)
    plies = rng.integers(low, (high or game.max_length) + 1, count)
    for ply in range(plies.max()):
        mask = game.legal(states)
        actions = choose(mask, rng)
        go = np.flatnonzero((ply < plies) & mask.any(axis=1))
        moved = states[go]
        game.advance(moved, actions[go])
        states[go] = moved
    return states[~game.over(states)]


def choose(mask, rng):
    """One of the actions allowed in each row of `mask` [B, A], all equally likely."""
    return np.argmax(np.where(mask, rng.random(mask.shape), -1), axis=1)


def damage_file(path, how):
    """Make a file one that was cut short, changed in one byte, written by something else or never written."""
    content = bytearray(path.read_bytes())
    if how == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif how == "flipped":
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(content)
    elif how == "text":
        path.write_text("agent_a,agent_b\n")
    elif how == "empty":
        path.write_bytes(b"")
