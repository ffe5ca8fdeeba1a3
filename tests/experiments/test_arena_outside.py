"""Outside players in a study's arena: OpenSpiel's and anybody's, rated beside the agents and left out of the fits."""

import csv
import shutil
import signal

import numpy as np
import pytest
from applications import TooLate, call, disturb, everything, finish, in_time, lines, start, wait_for

pytest.importorskip("games.exact")

from agents.agent import AgentError, Decision, Strategy
from experiments import collect, ratings, records
from experiments.arena import play_study
from experiments.arena_settings import Arena, Outside
from experiments.pool import pools, read_study
from experiments.schedule import plan_newcomer
from games import make

MCTS = {"strategy": "openspiel_mcts", "settings": {"simulations": 8}}
ALPHABETA = {"strategy": "openspiel_alphabeta", "settings": {"depth": 1}}
NAME = "hex3:openspiel_mcts-simulations=8"
JOINING = ["arena.openings=4", "arena.outside=[{strategy: openspiel_mcts, settings: {simulations: 8}}]"]


class Slow(Strategy):
    """A player from outside that is told how much it may search."""

    name = "slow"
    uses_network = False

    def __init__(self, game):
        self.game = game

    def decide(self, states, budgets, streams):
        legal = self.game.legal(states)
        return Decision(legal.argmax(1), legal.astype(np.float32), np.zeros(len(states), np.float32),
                        np.zeros(len(states), np.int64))  # fmt: skip


def table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def joined(tiny_study, tmp_path_factory):
    """The tiny study, and OpenSpiel's search joined it when it was finished."""
    study = shutil.copytree(tiny_study, tmp_path_factory.mktemp("joined") / "tiny")
    ended = call("experiments.arena", f"study_dir={study}", *JOINING)
    assert ended.status == 0, ended.err
    return study


# ---- joining -------------------------------------------------------------------------------------------------------


def test_who_joins_a_finished_study_plays_alone(tiny_study, joined):
    before, after = ((folder / "matches.csv").read_bytes() for folder in (tiny_study, joined))
    assert after.startswith(before)
    new = table(joined / "matches.csv")[len(table(tiny_study / "matches.csv")) :]
    assert {row["agent_b"] for row in new} == {NAME, NAME.replace("hex3", "hex2")}
    assert {row["round"] for row in new} == {"0", "1"} and {row["games"] for row in new} == {"8"}
    agents = {row["agent"]: row for row in table(joined / "agents.csv")}
    assert len(agents) == len(table(tiny_study / "agents.csv")) + 2
    own = agents[NAME]
    assert own["run"] == own["budget"] == own["train_flops"] == own["test_flops_per_move"] == ""
    assert own["anchor"] == "0" and own["strategy"] == "openspiel_mcts" and 0 < float(own["optimality"]) < 1


def test_the_bytes_do_not_depend_on_when_or_where_they_are_played(tiny_study, joined, tmp_path):
    whole = (joined / "matches.csv").read_bytes()
    begun, other = len((tiny_study / "matches.csv").read_bytes()), shutil.copytree(joined, tmp_path / "tiny")
    for length in (0, begun + 40, len(whole) - 3):  # from the start, and cut off within the outside player's matches
        (other / "matches.csv").write_bytes(whole[:length])
        play_study(other, {"outside": [MCTS]})
        assert (other / "matches.csv").read_bytes() == whole
    record = (other / "study.yaml").read_text()
    assert "jobs: 1\n" in record
    (other / "study.yaml").write_text(record.replace("jobs: 1\n", "jobs: 2\n"))
    (other / "matches.csv").write_bytes(whole[:begun])
    play_study(other, {"outside": [MCTS]})
    assert (other / "matches.csv").read_bytes() == whole


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
@in_time
def test_an_arena_killed_while_outside_players_meet_ends_with_the_same_bytes(tiny_study, joined, tmp_path, jobs):
    study = shutil.copytree(tiny_study, tmp_path / "tiny")
    record = (study / "study.yaml").read_text()
    (study / "study.yaml").write_text(record.replace("jobs: 1\n", f"jobs: {jobs}\n"))
    arguments, whole = [f"study_dir={study}", *JOINING], (joined / "matches.csv").read_bytes()
    program = ("-m", "experiments.arena")
    for number in range(3):
        before = (study / "matches.csv").stat().st_size
        process = start(*arguments, program=program)
        wait_for(lambda size=before: (study / "matches.csv").stat().st_size > size, process)
        ended = disturb(process, group=number != 1)  # else the parent alone, and its workers have to notice
        assert ended.status == -signal.SIGKILL, ended.err
        played = (study / "matches.csv").read_bytes()
        assert whole.startswith(played)
        if played == whole:
            raise TooLate
    ended = finish(start(*arguments, program=program))
    assert ended.status == 0, ended.err
    assert (study / "matches.csv").read_bytes() == whole
    assert (study / "agents.csv").read_bytes() == (joined / "agents.csv").read_bytes()


def test_a_second_one_leaves_the_first_ones_matches_alone(joined, tmp_path):
    other = shutil.copytree(joined, tmp_path / "tiny")
    play_study(other, {"outside": [ALPHABETA, MCTS]})
    grown, before = (other / "matches.csv").read_bytes(), (joined / "matches.csv").read_bytes()
    assert grown.startswith(before)
    new = table(other / "matches.csv")[before.count(b"\n") - 1 :]
    assert {row["agent_b"].partition(":")[2] for row in new} == {"openspiel_alphabeta-depth=1"}


def test_it_stands_between_random_and_perfect_play_and_in_no_fit(joined):
    rated, rows = ratings.rate_study(joined)
    elo = {row["agent"]: row["elo"] for row in rows}
    assert elo["hex3:random"] < elo[NAME] < elo["hex3:perfect"] == 0
    assert all(row["elo_se"] > 0 for row in rows if row["agent"] == NAME)
    agents = records.read_agents(joined / "agents.csv")
    fitted = collect.collect(collect.rated_table(rated, agents), np.zeros((0, len(agents["agent"]))))
    assert not {NAME, "hex3:random", "hex3:perfect"} & set(fitted.name) and len(fitted) > 4


def test_the_report_shows_where_it_stands(joined, tmp_path):
    study = shutil.copytree(joined, tmp_path / "tiny")
    ended = call("experiments.frontier", f"study_dir={study}", "replicates=2")
    assert ended.status == 0, ended.err
    page = (study / "report.html").read_text()
    assert f"<code>{NAME}</code>" in page and "Players that nobody trained" in page
    assert "openspiel_mcts-simulations=8" in (study / "ratings.csv").read_text()
    assert (study / "figures" / "elo_against_training.svg").exists()


# ---- the schedule --------------------------------------------------------------------------------------------------


def test_a_newcomer_meets_near_equals_the_anchor_only_near_the_top_and_nobody_twice():
    strength = np.append(np.arange(-2000.0, 1, 20), [-1000.0])  # the anchor at 100, the newcomer last
    met, played = [], set()
    for number in range(10):
        pairs = plan_newcomer(strength, played, 3, np.random.default_rng(number), anchor=100)
        assert all(b == 101 for _, b in pairs) and not played & set(pairs)
        met += [strength[a] for a, _ in pairs]
        played |= set(pairs)
    assert len(met) == 30 and abs(np.median(met) + 1000) < 100 and 0.0 not in met
    strength[-1] = -50
    assert (100, 101) in plan_newcomer(strength, set(), 3, np.random.default_rng(0), anchor=100)
    assert (100, 101) not in plan_newcomer(strength, {(100, 101)}, 3, np.random.default_rng(0), anchor=100)


# ---- names and refusals --------------------------------------------------------------------------------------------


def test_names_tell_settings_and_budgets_apart():
    hex5 = make("hex", size=5)
    assert Outside("openspiel_mcts").title(hex5) == "hex5:openspiel_mcts"
    many = Outside("openspiel_mcts", {"simulations": 100, "c": 1.5})
    assert many.title(hex5) == "hex5:openspiel_mcts-c=1.5-simulations=100"
    assert Outside("mine.slow:Slow", budget=64).title(hex5) == "hex5:mine.slow:Slow64"


def test_a_strategy_of_ones_own_joins_with_a_budget(tiny_study):
    study = read_study(tiny_study, {"outside": [{"strategy": f"{__name__}:Slow", "budget": 7}]})
    pool = pools(study)[1]
    player = pool.players(pool.game())[pool.outsiders[0]]
    assert player.name == f"hex3:{__name__}:Slow7" and player.budget == 7 and isinstance(player.strategy, Slow)
    for budget, expected in ((None, "a budget of at least 1"), (0, "a budget of at least 1")):
        with pytest.raises(AgentError, match=expected):
            Arena(outside=[Outside(f"{__name__}:Slow", budget=budget)]).check()


REFUSED = [
    ("[{strategy: nonsense}]", "no strategy 'nonsense'"),
    ("[{strategy: openspiel_mcts, settings: {simulation: 9}}]", "no setting 'simulation'"),
    ("[{strategy: openspiel_mcts, settings: {simulations: 1}}]", "simulations=1 cannot be"),
    ("[{strategy: openspiel_mcts, setings: {simulations: 9}}]", "setings"),
    ("[{settings: {simulations: 9}}]", "strategy"),
    ("[{strategy: puct}]", "needs a network"),
    ("[{strategy: random}]", "in every pool already"),
    ("[{strategy: openspiel_mcts, budget: 3}]", "expected no budget"),
    ("[{strategy: openspiel_mcts}, {strategy: openspiel_mcts, settings: {simulations: 1000}}]", "twice: drop one"),
    ("openspiel_mcts", "outside"),
]


@pytest.mark.parametrize("outside, message", REFUSED, ids=lambda value: str(value)[:40])
def test_what_cannot_join_is_refused(tiny_study, outside, message):
    before = everything(tiny_study)
    ended = call("experiments.arena", f"study_dir={tiny_study}", f"arena.outside={outside}")
    assert ended.status == 1 and ended.out == ""
    assert len(lines(ended.err)) == 1 and message in ended.err, ended.err
    assert everything(tiny_study) == before


def test_an_impossible_player_is_refused_before_any_work(tmp_path):
    ended = call("experiments.train", "-m", "game=othello", "game.size=6", "study.name=x",
                 f"studies={tmp_path}",
                 "arena.outside=[{strategy: openspiel_mcts, settings: {simulations: 1}}]")  # fmt: skip
    assert ended.status == 1 and "simulations=1 cannot be" in ended.err, ended.err
    assert len(lines(ended.err)) == 1 and not list(tmp_path.iterdir())
