"""Exact play of any game by alpha-beta: known values, plain minimax, enumeration. test_solve_players.py goes on.

python -m tests.games.solve_speed      the table of docs/exact.md, and 1,000 games of each perfect player
"""

import functools
import os

import numpy as np
import pytest
from boards import choose, random_positions
from searches import SLOTS, search

from games import make
from games.enumeration import Enumeration
from games.exact import prover_of
from games.forms import form_of
from games.searching import Search
from tests.games.breakthrough_twin import SlowBreakthrough
from tests.games.row_twin import SlowRow
from tests.games.y_twin import SlowY

pytestmark = pytest.mark.usefixtures("cache")


# ---- known values --------------------------------------------------------------------------------------------------

KNOWN = [
    # Connect Four, rows x columns: J. Tromp's table, continued by C. Steininger (github.com/ChristopheSteininger/c4).
    ("connect_four", {"rows": 4, "columns": 4}, 0),
    ("connect_four", {"rows": 5, "columns": 4}, 0),
    ("connect_four", {"rows": 6, "columns": 4}, 0),
    ("connect_four", {"rows": 4, "columns": 5}, 0),
    ("connect_four", {"rows": 4, "columns": 6}, -1),
    ("connect_four", {"rows": 5, "columns": 5}, 0),
    # k in a row: W. Uiterwijk, H. J. van den Herik, Information Sciences 122, 2000, and the articles named there.
    ("mnk", {"rows": 3, "columns": 3, "k": 3}, 0),
    ("mnk", {"rows": 3, "columns": 4, "k": 3}, 1),
    ("mnk", {"rows": 4, "columns": 3, "k": 3}, 1),
    ("mnk", {"rows": 2, "columns": 9, "k": 3}, 0),
    ("mnk", {"rows": 4, "columns": 4, "k": 4}, 0),
    # By enumeration in tests/games/test_othello.py: player 1 wins by 8 discs.
    ("othello", {"size": 4}, -1),
    # J. Nash's argument: an extra stone never harms.
    ("y", {"size": 2}, 1),
    ("y", {"size": 3}, 1),
    ("y", {"size": 4}, 1),
    # The common game.
    ("tictactoe", {}, 0),
]


@pytest.mark.parametrize("name, settings, value", KNOWN)
def test_known_values(name, settings, value):
    exact = search(name, **settings)
    assert exact.values(exact.game.reset(1))[0] == value


# ---- twins ---------------------------------------------------------------------------------------------------------


def slow_row(game):
    return SlowRow(
        game.rows, game.columns, game.settings.get("k") or game.settings["connect"], "connect" in game.settings
    )


def slow_value(twin, result):
    """Value for the player to move by plain minimax over a slow twin, each position once."""
    memory = {}

    def value(game):
        key = (
            *sorted(vars(game).get("stones", vars(game).get("pieces", vars(game).get("discs"))).items()),
            game.player,
        )
        if key not in memory:
            moves = game.legal()
            memory[key] = max((-value(after(game, move)) for move in moves), default=None)
            if not moves:
                memory[key] = result(game) * (1 - 2 * game.player)
        return memory[key]

    def after(game, move):
        child = type(game).__new__(type(game))
        vars(child).update({name: dict(v) if isinstance(v, dict) else v for name, v in vars(game).items()})
        child.play(move)
        return child

    return value(twin), len(memory)


def sign(winner):
    return 0 if winner is None else 1 - 2 * winner


TWINS = [
    ("connect_four", {"rows": 3, "columns": 3, "connect": 3}, slow_row, lambda twin: sign(twin.winner())),
    ("connect_four", {"rows": 2, "columns": 4, "connect": 3}, slow_row, lambda twin: sign(twin.winner())),
    ("mnk", {"rows": 2, "columns": 4, "k": 3}, slow_row, lambda twin: sign(twin.winner())),
    ("mnk", {"rows": 3, "columns": 3, "k": 2}, slow_row, lambda twin: sign(twin.winner())),
    ("breakthrough", {"rows": 3, "columns": 2}, lambda g: SlowBreakthrough(3, 2, 1), lambda twin: sign(twin.winner())),
    ("breakthrough", {"rows": 3, "columns": 3}, lambda g: SlowBreakthrough(3, 3, 1), lambda twin: sign(twin.winner())),
    ("breakthrough", {"rows": 4, "columns": 2}, lambda g: SlowBreakthrough(4, 2, 1), lambda twin: sign(twin.winner())),
    ("breakthrough", {"rows": 4, "columns": 2, "home": 2}, lambda g: SlowBreakthrough(4, 2, 2),
     lambda twin: sign(twin.winner())),
    ("y", {"size": 3}, lambda g: SlowY(3), lambda twin: sign(twin.winner())),
]  # fmt: skip


@pytest.mark.parametrize("name, settings, twin, result", TWINS)
def test_values_agree_with_plain_minimax_of_the_twins(name, settings, twin, result):
    exact = search(name, **settings)
    value, positions = slow_value(twin(exact.game), result)
    assert positions > 10
    assert exact.values(exact.game.reset(1))[0] == value


def test_openspiel_agrees_on_breakthrough():
    """Plain minimax over OpenSpiel's own states, memory by its text of the position."""
    pyspiel = pytest.importorskip("pyspiel")
    for rows, columns in ((4, 2), (3, 3), (4, 3)):
        memory = {}

        def value(state, memory=memory):
            key = str(state)
            if key not in memory:
                if state.is_terminal():
                    memory[key] = int(state.returns()[0])
                else:
                    pick = max if state.current_player() == 0 else min
                    memory[key] = pick(value(state.child(action)) for action in state.legal_actions())
            return memory[key]

        expected = value(pyspiel.load_game(f"breakthrough(rows={rows},columns={columns})").new_initial_state())
        exact = search("breakthrough", rows=rows, columns=columns)
        assert exact.values(exact.game.reset(1))[0] == expected and len(memory) > 50


ENUMERATED = [
    ("connect_four", {"rows": 3, "columns": 4, "connect": 3}),
    ("mnk", {"rows": 3, "columns": 3, "k": 3}),
    ("breakthrough", {"rows": 4, "columns": 3}),
    ("othello", {"size": 4}),
    ("y", {"size": 3}),
    ("tictactoe", {}),
]


@functools.cache
def enumerated(name, settings):
    return Enumeration(make(name, **dict(settings)))


@pytest.mark.parametrize("name, settings", ENUMERATED)
def test_enumeration_agrees(name, settings):
    """On all positions of small games, on a sample of larger ones: values, action values, the stubborn choice."""
    twin = enumerated(name, tuple(settings.items()))
    exact = search(name, **settings)
    states = twin.graph.states
    if len(states) > 3000:
        states = np.concatenate([states[:50], np.random.default_rng(0).permutation(states)[:2000]])
    assert (exact.values(states) == twin.values(states)).all()
    assert (exact.action_values(states) == twin.action_values(states)).all()
    assert (exact.perfect_moves(states) == twin.perfect_moves(states)).all()


FORMS = [
    ("connect_four", {"rows": 4, "columns": 5}, 8),
    ("connect_four", {"rows": 5, "columns": 4}, 8),
    ("mnk", {"rows": 4, "columns": 4, "k": 4}, 4),
    ("mnk", {"rows": 3, "columns": 5, "k": 3}, 2),
    ("breakthrough", {"rows": 4, "columns": 4}, 2),
    ("breakthrough", {"rows": 5, "columns": 3}, 2),
]


ALL_FORMS = bool(os.environ.get("ISOELO_ALL_FORMS"))  # two more searches to compile, 20 s


@pytest.mark.parametrize("name, settings, low", FORMS if ALL_FORMS else FORMS[:2])
def test_forms_of_their_own_agree_with_the_rules(name, settings, low):
    """Bits, pruning and symmetries against a search over the game's own rules that keeps all states apart."""
    exact = search(name, **settings)
    game = exact.game
    plain = Search(game, form_of(game, look_alike=False), slots=SLOTS)
    states = random_positions(game, 300, np.random.default_rng(1), low, low + 8)
    assert len(states) > 100 and len(np.unique(exact.values(states))) > 1
    assert (exact.action_values(states) == plain.action_values(states)).all()
    assert (exact.perfect_moves(states) == plain.perfect_moves(states)).all()


@pytest.mark.parametrize("name, settings", [(name, settings) for name, settings, _ in FORMS])
def test_forms_play_as_the_rules_do(name, settings):
    """Legal actions, turns and ends of random games, and one key for all symmetric positions and for nothing else."""
    game = make(name, **settings)
    form = prover_of(game, slots=SLOTS)._form
    rng, keys, planes = np.random.default_rng(2), {}, np.zeros(game.observation_shape, np.float32)
    for _ in range(30):
        state = game.reset(1)
        row = form.pack(state)[0]
        while True:
            assert (row == form.pack(state)[0]).all()
            if game.over(state)[0]:
                break
            mask = np.zeros(game.num_actions, np.bool_)
            form.legal(row, form.params, mask)
            assert (mask == game.legal(state)[0]).all()
            seen = game.observe(state)[0].reshape(game.observation_shape[0], -1)
            turned = min(seen[:, cells].tobytes() for cells in game.symmetries.cells)
            keys.setdefault(turned, set()).add(int(form.key(row, form.params, form.words, planes)))
            action = int(choose(mask[None], rng)[0])
            form.apply(row, form.params, action)
            game.advance(state, np.array([action]))
    assert all(len(found) == 1 for found in keys.values())
    assert len(set.union(*keys.values())) == len(keys) > 50
