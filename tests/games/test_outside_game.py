"""docs/adding_a_game.md holds what it says: its files are those of tests/outside, and they work from outside.

A game, its solver, a network and a strategy in a package beside the source; nothing in the source knows of them.
"""

import importlib
import pathlib
import re
import sys
import textwrap

import numpy as np
import pyspiel
import pytest

ROOT = pathlib.Path(__file__).parents[2]
OUTSIDE = ROOT / "tests" / "outside"
sys.path[:0] = [str(OUTSIDE), str(ROOT / "tests" / "experiments")]

from applications import call, lines  # noqa: E402
from my_games.clobber import Clobber  # noqa: E402
from test_openspiel import play_side_by_side  # noqa: E402

from agents.agent import Agent, make_strategy  # noqa: E402
from agents.network import NetworkError, NetworkEvaluator, make_network  # noqa: E402
from agents.snapshot import load_snapshot, save_snapshot  # noqa: E402
from games import GameError, make  # noqa: E402
from games.conformance import CHECKS, PromiseBroken, parametrize_with_checks  # noqa: E402
from games.core import HEADER, OVER, TO_MOVE, kernel  # noqa: E402
from games.enumeration import Enumeration  # noqa: E402
from games.exact import solver  # noqa: E402
from games.promises import check_views  # noqa: E402
from mcts.streams import seed_streams  # noqa: E402

CLOBBER = "my_games.clobber:Clobber"
TEXT = (ROOT / "docs" / "adding_a_game.md").read_text()


def blocks(file):
    """The code of the document that it says to be part of `file`, joined in order."""
    found = re.findall(rf"<!-- {re.escape(file)} -->\n```python\n(.*?)```\n", TEXT, re.DOTALL)
    return "".join(found)


@pytest.mark.parametrize("file", ["clobber.py", "clobber_solver.py", "linear.py", "raw.py", "best_of_n.py"])
def test_the_document_shows_the_tested_files(file):
    def without_gaps(text):
        return [line for line in text.splitlines() if line]

    assert without_gaps(blocks(file)) == without_gaps((OUTSIDE / "my_games" / file).read_text())


def test_the_source_does_not_know_the_package():
    folders = ("games", "mcts", "agents", "training", "experiments", "configs")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*") if file.suffix in (".py", ".yaml")]
    assert len(files) > 50
    assert not [file for file in files if re.search("clobber:|my_games", file.read_text())]


# ---- the game ------------------------------------------------------------------------------------------------------


@parametrize_with_checks([Clobber(size=3), Clobber(size=4)])
def test_promises(game, check):
    check(game, 0)


@pytest.mark.parametrize(("size", "count"), [(2, 20), (3, 200), (4, 200), (5, 100), (6, 50), (9, 10)])
def test_agrees_with_openspiel(size, count):
    game = make(CLOBBER, size=size)
    assert game.openspiel_actions.tolist() == list(range(game.num_actions))

    def same_board(state, other):
        ours = [line.split()[1:] for line in game.draw(state).splitlines()[1:-1]]
        theirs = [list(line[1:]) for line in str(other).splitlines()[:size]]
        assert ours == [["ox."["xo.".index(mark)] for mark in row] for row in theirs]

    play_side_by_side(game, pyspiel.load_game(game.openspiel_id), count, size, same_board=same_board)


def test_solver_agrees_with_enumeration():
    game = make(CLOBBER, size=3)
    own, reference = solver(game), Enumeration(game)
    assert type(own).__name__ == "ClobberSolver"
    states = reference.graph.states
    for answer in ("values", "action_values"):
        assert (getattr(own, answer)(states) == getattr(reference, answer)(states)).all()
    running = states[states[:, OVER] == 0]
    assert (own.perfect_moves(running) == reference.perfect_moves(running)).all() and len(running) > 100
    with pytest.raises(GameError, match="clobber5 is too large to be solved: choose a size up to 4"):
        solver(make(CLOBBER, size=5))


EDITS = [
    ("directions[:, None, :]", "np.arange(4)", "check_symmetries"),
    ("max_length=cells - 1", "max_length=size", "check_length"),
    ("range(4 * params[0] * params[0]):\n        mask", "range(5 * params[0] * params[0]):\n        mask",
     "check_plain_python"),
    ("    state[HEADER + cell] = EMPTY\n", "", "check_text"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "check"), EDITS, ids=[check for _, _, check in EDITS])
def test_mistakes_are_told_as_the_document_says(right, wrong, check, tmp_path, monkeypatch):
    source = (OUTSIDE / "my_games" / "clobber.py").read_text()
    assert source.count(right) == 1
    (tmp_path / f"clobber_{check}.py").write_text(source.replace(right, wrong))
    monkeypatch.syspath_prepend(str(tmp_path))
    game = importlib.import_module(f"clobber_{check}").Clobber(size=3)
    with pytest.raises(PromiseBroken) as caught:
        {each.__name__: each for each in CHECKS}[check](game, 0)
    told = re.search(rf"\| {check}: (.*) \|", TEXT)
    assert told and told[1] in str(caught.value)


@kernel
def observe_absolutely(state, params, planes):
    size = params[0]
    for cell in range(size * size):
        planes[0, cell // size, cell % size] = state[HEADER + cell] == 1
        planes[1, cell // size, cell % size] = state[HEADER + cell] == 2


class Absolute(Clobber):
    """Player 0's stones first, whoever moves."""

    rules = Clobber.rules._replace(observe=observe_absolutely)


@pytest.mark.parametrize("size", [3, 4, 5, 6])
def test_planes_that_forget_the_mover_are_noticed(size):
    """The stone that an action moves speaks for it: player 0's for player 0, and against it for player 1."""
    with pytest.raises(
        PromiseBroken, match=r"speaks for action .* against it with the other: observe or `views` forgets"
    ):
        check_views(Absolute(size=size), 0)
    check_views(Clobber(size=size), 0)


# ---- the commands --------------------------------------------------------------------------------------------------


def composed(*arguments):
    """What `--cfg job` prints: the settings as a run would have them."""
    ended = call("experiments.train", *arguments, "--cfg", "job")
    assert ended.status == 0, ended.err
    return ended.out


def test_a_game_and_a_network_from_outside_are_choices_of_the_command_line():
    text = composed(f"game={CLOBBER}", "game.size=4", "network=my_games.linear:Linear")
    assert f"game:\n  name: {CLOBBER}\n  size: 4\nnetwork:\n  name: my_games.linear:Linear\n  scale: 1\n" in text


def test_a_config_directory_gives_it_a_short_name(tmp_path):
    (tmp_path / "game").mkdir()
    (tmp_path / "game" / "clobber.yaml").write_text(f"name: {CLOBBER}\nsize: 4\n")
    text = composed("--config-dir", str(tmp_path), "game=clobber")
    assert f"game:\n  name: {CLOBBER}\n  size: 4\nnetwork:" in text


def test_a_study_file_of_ones_own_sweeps_it(tmp_path):
    (tmp_path / "study").mkdir()
    found = re.search(r"my_configs/study/clobber.yaml\n\n((?:    .*\n)+)", TEXT)
    assert found
    (tmp_path / "study" / "clobber.yaml").write_text(textwrap.dedent(found[1]))
    ended = call("experiments.train", "--config-dir", str(tmp_path), "study=clobber", "game.size=3,1",
                 f"studies={tmp_path}")  # fmt: skip
    assert ended.status == 1 and "clobber: size=1 cannot be" in ended.err, ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["study"]


@pytest.mark.parametrize(("arguments", "words"), [
    (["game=my_games.clobber:Nothing"], "my_games.clobber has the subclasses ['Clobber'] of Game"),
    (["game=broken_rules:IndexTooLarge"], "breaks a promise, check_plain_python: "),
    (["-m", "game=broken_rules:IndexTooLarge"], "See python -m games.conformance broken_rules:IndexTooLarge"),
    (["game=my_games.nothing:Clobber"], "no game 'my_games.nothing:Clobber': there is no module my_games.nothing"),
    (["game=my_games.linear:Linear"], "no game 'my_games.linear:Linear'"),
    (["network=my_games.clobber:Clobber"], "no network 'my_games.clobber:Clobber'"),
    ([f"game={CLOBBER}", "game.size=1"], "clobber: size=1 cannot be: expected an integer from 2 to 9"),
    ([f"game={CLOBBER}", "game.sise=3"], "Could not override 'game.sise'"),
    ([f"game={CLOBBER}", "network=my_games.linear:Linear", "network.scale=0"], "scale=0 cannot be"),
    ([f"game={CLOBBER}", "arena.strategy=my_games.raw:Nothing"], "no strategy 'my_games.raw:Nothing'"),
    (["arena.strategy=my_games.raw:Raw", "arena.settings={heat: 2}"], "has no setting 'heat': it takes temperature"),
    (["network=faulty:NoValue"], "network faulty:NoValue breaks a promise, check_answers: forward returns Tensor"),
    (["-m", "seed=0,1", "network=faulty:NoValue"], "and python -m agents.conformance faulty:NoValue"),
    (["game=faulty:Needy"], "game.depth is not given: add game.depth="),
    (["arena.strategy=faulty:Alone"], "its constructor takes (game); expected game, evaluator first"),
    (["search.rule=faulty:Silent"], "rule faulty:Silent has no begin, policy, choose, explore, exploring"),
    (["search=faulty:Silent"], "expected one of gumbel, puct, regularised; one of your own is search.rule="),
    (["arena.strategy=my_games.raw:Raw", "arena.sample=true"], "has no setting 'sample'"),
    (["game=openspiel", "game.id=backgammon"], "backgammon"),
    (["game=openspiel", "game.id=poker"], "expected one such as "),
    (["game=openspiel", 'game.id="hex(colour=3)"'], "OpenSpiel says"),
])  # fmt: skip
def test_what_cannot_be_is_refused_in_one_line(arguments, words, tmp_path):
    ended = call("experiments.train", *arguments, f"studies={tmp_path}/studies")
    assert ended.status == 1 and len(lines(ended.err)) == 1 and ended.err.startswith("error: "), ended.err
    assert words in ended.err and ended.out == ""
    assert not list(tmp_path.iterdir())


def test_a_snapshot_finds_its_game_again_and_plays_no_other(tmp_path):
    game, path = make(CLOBBER, size=3), tmp_path / "000.safetensors"
    save_snapshot(path, game, make_network("my_games.linear:Linear", game, scale=2), {"index": 0})
    again = load_snapshot(path)
    assert type(again.game) is Clobber and again.network.settings == {"scale": 2}
    for other in (make("hex", size=3), make(CLOBBER, size=4)):
        with pytest.raises(NetworkError, match=f"plays clobber3, not {other.title}: choose one trained on"):
            load_snapshot(path, other)


def test_best_of_n_keeps_its_budget_and_takes_a_win_that_it_draws():
    game = make(CLOBBER, size=3)

    def undecided(planes):
        return np.zeros((len(planes), game.num_actions), np.float32), np.zeros(len(planes), np.float32)

    strategy, budgets = make_strategy("my_games.best_of_n:BestOfN", game, undecided), np.array([1, 2, 200, 200])
    state = game.reset(1)[0]
    while not (wins := winning_moves(game, state)):
        state = game.play(state, int(np.flatnonzero(game.legal(state[None])[0])[0]))
    streams = seed_streams(0, np.arange(4))
    decision = strategy.decide(np.repeat(state[None], 4, 0), budgets, streams)
    assert (decision.evaluations <= budgets).all() and decision.evaluations[0] == 1
    assert set(decision.actions[2:]) <= set(wins)
    before = seed_streams(0, np.arange(4))
    assert (streams == before).tolist() == [True, False, False, False]
    alone = strategy.decide(state[None], budgets[2:3], before[2:3].copy())
    assert alone.actions == decision.actions[2] and alone.evaluations == decision.evaluations[2]


def winning_moves(game, state):
    """Actions that end the game, which in Clobber wins it."""
    return [a for a in np.flatnonzero(game.legal(state[None])[0]) if game.over(game.play(state, int(a))[None])[0]]


def test_the_strategy_plays_the_highest_legal_logit():
    game = make("breakthrough", rows=4, columns=4)  # its board is turned for player 1
    evaluator = NetworkEvaluator(make_network("my_games.linear:Linear", game))
    strategy = make_strategy("my_games.raw:Raw", game, evaluator, temperature=0.5)
    states = game.reset(2)
    states[1] = game.play(states[1], int(np.flatnonzero(game.legal(states)[1])[0]))
    decision = Agent(strategy, 1).act(states, seed_streams(0, np.arange(2)))
    logits, legal = evaluator(game.observe(states))[0], game.legal(states)
    for b, player in enumerate((0, 1)):
        best = max((j for j in range(game.num_actions) if legal[b, game.views[player, j]]), key=lambda j: logits[b, j])
        assert decision.actions[b] == game.views[player, best] == decision.policy[b].argmax()
    assert (decision.policy[~legal] == 0).all() and np.allclose(decision.policy.sum(1), 1)


def test_colours_and_mover_exchanged_look_the_same():
    game, rng = make(CLOBBER, size=4), np.random.default_rng(0)
    for _ in range(5):
        state = game.reset(1)[0]
        while not state[OVER]:
            other = state.copy()
            other[HEADER:] = np.array([0, 2, 1])[state[HEADER:]]
            other[TO_MOVE] = 1 - state[TO_MOVE]
            assert (game.observe(state[None]) == game.observe(other[None])).all()
            assert (game.legal(state[None]) == game.legal(other[None])).all()
            state = game.play(state, int(rng.choice(np.flatnonzero(game.legal(state[None])[0]))))
