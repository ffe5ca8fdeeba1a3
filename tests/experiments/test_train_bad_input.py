"""What is wrong on the command line of `train` ends in one line on stderr, status 1, and nothing written."""

import errno
import fcntl

import pytest
from applications import TINY_RUN, TINY_STUDY, call, everything, finish, lines, start

from experiments import cells
from games import make

NOT_SETTINGS = [
    (["training.positons=5"], "training.positons"),
    (["trainng.positions=5"], "There is no such setting"),
    (["training.positions=many"], "training.positions='many' cannot be: expected a whole number\n"),
    (["training.positions=1.5"], "training.positions='1.5' cannot be: expected a whole number\n"),
    (["training.learning_rate=fast"], "training.learning_rate='fast' cannot be: expected a number\n"),
    (["arena.sample=perhaps"], "arena.sample='perhaps' cannot be: expected true or false\n"),
    (["arena.budgets=4"], "arena.budgets cannot be a single value: expected a list such as [1,4]\n"),
    (["seed=first"], "seed='first' cannot be: expected a whole number\n"),
    (["game.size=[3"], "[3 cannot be read: expected every quote and bracket to be closed\n"),
    (["study.name='a b"], "study.name='a b cannot be read: expected every quote and bracket to be closed\n"),
    (["game.size"], "'game.size' is no setting: expected key=value;"),
    (["game.size=3,4"], "game.size=3,4 are several values: expected one"),
    (["hydra/launcher=nothing"], "those of a cluster come with pip install -e '.[cluster]' (docs/cluster.md)\n"),
    (["game=openspiel", "game.id=y(board_size=4)"], "has quotes of its own: 'game.id=\"y(board_size=4)\"'\n"),
    (["game=chess"], "game=chess cannot be: expected one of breakthrough, connect_four,"),
    (["game=chess"], "y; one of your own is called 'package.module:Class'\n"),
    (["study=nothing"], "study=nothing cannot be: expected one of adhoc, options, perfect, "),
]
IMPOSSIBLE = [
    (["game.size=1"], "hex: size=1 cannot be: expected an integer from 2 to 19"),
    (["game.size=hello"], "size='hello'"),
    (["game.name=chess"], "no game 'chess': known are"),
    (["+game.colour=red"], "game 'hex' has no setting 'colour': it takes size, swap"),
    (["network.width=0"], "width=0 cannot be: expected an integer from 1 to 1024"),
    (["network.name=cnn"], "no network 'cnn': known are"),
    (["training.games=0"], "training.games=0 cannot be"),
    (["training.positions=0"], "training.positions=0 cannot be"),
    (["training.boards=[{size: 3},{size: 4}]"], "network 'fc' has weights for one size: hex4 needs one of its own"),
    (["network=conv", "training.boards=3"], "training.boards=3 cannot be: expected sizes of the game, such as"),
    (["network=conv", "training.boards=[3,4]"], "training.boards=[3, 4] cannot be"),
    (["network=conv", "training.boards=[{size: 3},{size: 1}]"], "hex: size=1 cannot be"),
    (["network=conv", "training.boards=[{size: 3},{size: 3}]"], "hex3 occurs twice; drop one"),
    (["network=conv", "training.boards=[{swap: true}]"], "'swap' in {'swap': True} is no size of a board of hex"),
    (["network=conv", "training.boards=[{size: 3},{rows: 3, columns: 4}]"], "'conv' cannot play hex3x4 too"),
    (["game=tictactoe", "network=conv", "training.boards=[{size: 3}]"], "game 'tictactoe' has no setting 'size'"),
    (
        ["training.batch=500", "training.replay_positions=100"],
        "at least training.batch=500: raise it or lower the batch",
    ),
    (["training.noise=1.5"], "training.noise=1.5 cannot be: expected a share from 0 to 1"),
    (["training.noise_concentration=0.01"], "training.noise_concentration=0.01 cannot be"),
    (["training.learning_rate=nan"], "training.learning_rate=nan cannot be"),
    (["study.name=a/b"], "study.name='a/b' cannot be: it becomes a folder"),
    (["study.name=.."], "study.name='..' cannot be"),
    (["search.rule=best"], "no rule 'best': known are gumbel, puct, regularised"),
    (["search.c=-1"], "search.c=-1"),
    (["search=gumbel", "training.reuse=true"], "training.reuse=true cannot be with search.rule=gumbel"),
    (["arena.openings=0"], "arena.openings=0 cannot be: expected at least 1"),
    (["arena.budgets=[1,1]"], "arena.budgets=[1, 1] cannot be"),
    (["arena.budgets=[]"], "arena.budgets=[] cannot be"),
    (["arena.opening_moves=0"], "would replay one game"),
    (["arena.strategy=nonsense"], "no strategy 'nonsense': known are"),
    (["seed=-1"], "seed=-1 cannot be"),
    (["threads=0"], "threads=0 cannot be"),
    (["jobs=0"], "jobs=0 cannot be"),
    (["device=nonsense"], "device='nonsense' cannot be used here"),
    (["game=openspiel", "game.id=chess", "training.games=100000000"], "of 256 moves a game at first, need"),
    (["training.replay_positions=1000000000000"], "training.replay_positions=1000000000000 cannot be"),
    (["training.budget=1000000000"], "budget 1000000000 cannot be: trees for 256 positions of hex5 need"),
    (["arena.budgets=[1,100000000000]"], "budget 100000000000 cannot be: trees for 1 positions of hex5 need"),
    (["network=conv", "precision=bfloat16"], "precision=bfloat16 cannot be with network 'conv' on a processor"),
]
SWEEPS = [
    (["game.size=3,1"], "size=1 cannot be"),
    (["network.width=8,2000"], "width=2000 cannot be"),
    (["training.positions=100,many"], "training.positions='many' cannot be: expected a whole number"),
    (["training.positons=100,200"], "training.positons"),
    (["network=conv", "training.boards=[{size: 3}],[{size: 3},{size: 1}]"], "size=1 cannot be"),
    (["game.size=3,3"], "two cells of the sweep are hex3"),
    (
        ["game=connect_four", "game.rows=4,6", "game.columns=6,4", "game.connect=3"],
        "connect_four4x6-3 and connect_four6x4-3 are both of size 24",
    ),
    (
        ["game=connect_four", "game.rows=4,5", "game.columns=${game.rows}", "game.connect=5"],
        "connect=5 cannot be on 4 x 4",
    ),
    (["study.name=a,b"], "study.name differs between the cells"),
    (["study.name=2026", "jobs=1,2"], "jobs differs between the cells"),  # a number that is a name
    (["arena.openings=4,8"], "arena differs between the cells"),
    (["study.name=a/b", "game.size=3,4"], "study.name='a/b' cannot be"),
]


def refused(tmp_path, arguments, message):
    ended = call("experiments.train", *arguments, f"studies={tmp_path}/studies")
    assert ended.status == 1
    assert len(lines(ended.err)) == 1 and ended.err.startswith("error: "), ended.err
    assert message in ended.err
    assert ended.out == ""
    assert not list(tmp_path.iterdir()), "nothing is written"


@pytest.mark.parametrize("arguments, message", NOT_SETTINGS + IMPOSSIBLE, ids=lambda value: str(value)[:40])
def test_a_run_that_cannot_be_is_refused(tmp_path, arguments, message):
    refused(tmp_path, arguments, message)


@pytest.mark.parametrize("arguments, message", SWEEPS, ids=lambda value: str(value)[:40])
def test_a_study_with_one_cell_that_cannot_be_is_refused_before_any_starts(tmp_path, arguments, message):
    refused(tmp_path, ["-m", *arguments], message)


def test_a_file_in_place_of_a_folder_is_named(tmp_path):
    (tmp_path / "file").touch()
    ended = call("experiments.train", f"studies={tmp_path}/file")
    assert ended.status == 1 and len(lines(ended.err)) == 1
    assert f"{tmp_path}/file" in ended.err and "Not a directory, and no folder: choose another path" in ended.err


@pytest.mark.parametrize("flag", ["-m", "--multirun"])
def test_the_word_for_a_sweep_may_stand_anywhere(tmp_path, flag):
    refused(tmp_path, ["game.size=3,1", flag, "seed=0"], "size=1 cannot be")


def test_refusals_reach_the_shell(tmp_path):
    ended = finish(start("game.size=1", f"studies={tmp_path}/studies"))
    assert ended == (1, "", "error: hex: size=1 cannot be: expected an integer from 2 to 19\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("arguments, message", [
    (["training.learning_rate=0.5"], "training.learning_rate=0.003, not 0.5"),
    (["search.c=3"], "search.c=1.5, not 3"),
    (["threads=2"], "threads=1, not 2"),
])  # fmt: skip
def test_a_finished_run_is_not_mixed_with_other_settings(tiny_run, arguments, message):
    before = everything(tiny_run)
    ended = call("experiments.train", *TINY_RUN, *arguments, f"studies={tiny_run.parents[2]}")
    assert ended.status == 1 and len(lines(ended.err)) == 1
    assert message in ended.err and "choose another study.name, or delete that folder" in ended.err
    assert everything(tiny_run) == before


def test_a_study_is_not_mixed_with_other_settings(tiny_study):
    before = everything(tiny_study)
    arguments = [*TINY_STUDY, "training.batch=16", f"studies={tiny_study.parent}"]
    ended = call("experiments.train", *arguments)
    assert ended.status == 1 and len(lines(ended.err)) == 1 and "training.batch=32, not 16" in ended.err
    assert everything(tiny_study) == before


def test_how_often_checkpoints_are_saved_is_no_change(tiny_run):
    before = everything(tiny_run)
    arguments = [*TINY_RUN, "training.checkpoint_seconds=7", f"studies={tiny_run.parents[2]}"]
    ended = call("experiments.train", *arguments)
    assert ended.status == 0 and "is finished; nothing to do" in ended.out
    assert everything(tiny_run) == before


def test_a_run_too_short_to_learn_says_so(tmp_path):
    arguments = [*TINY_RUN, "training.positions=32", f"studies={tmp_path}"]
    ended = call("experiments.train", *arguments)
    assert ended.status == 1
    assert "training.positions=32 cannot be" in ended.err and "raise positions" in ended.err


def test_a_run_of_too_few_flops_says_so(tmp_path):
    ended = call("experiments.train", *TINY_RUN, "training.train_flops=10", f"studies={tmp_path}")
    assert ended.status == 1
    assert "training.train_flops=10.0 cannot be" in ended.err and "raise train_flops" in ended.err


def test_settings_of_which_nothing_was_trained_do_not_stand_in_the_way(tmp_path):
    folder = tmp_path / "scratch" / "runs" / "hex3-6x1-s0"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text("training: {budget: 1000000000}")
    assert call("experiments.train", *TINY_RUN, "training.positions=1000", f"studies={tmp_path}").status == 0


def test_an_error_while_hydra_writes_stands_on_a_line_of_its_own(tmp_path):
    """Not behind the bar of the study, which has begun by then."""
    blocked = tmp_path / "tiny" / "multirun.yaml"
    blocked.mkdir(parents=True)
    ended = call("experiments.train", *TINY_STUDY, f"studies={tmp_path}", "jobs=1")
    assert ended.status == 1 and "runs:   0%" in ended.err
    assert ended.err.split("\n")[-2].startswith(f"error: {blocked}: Is a directory")


@pytest.mark.parametrize("content", [b"", b"{", b"\0\0", b"game: [unclosed", b"3"])
def test_a_damaged_config_of_a_begun_run_is_named(tmp_path, content):
    folder = tmp_path / "scratch" / "runs" / "hex3-6x1-s0"
    (folder / "snapshots").mkdir(parents=True)
    (folder / "config.yaml").write_bytes(content)
    ended = call("experiments.train", *TINY_RUN, f"studies={tmp_path}")
    assert ended.status == 1 and len(lines(ended.err)) == 1, ended.err
    assert "hex3-6x1-s0" in ended.err and "delete" in ended.err


def test_a_damaged_checkpoint_is_named(tiny_run, tmp_path):
    folder = tmp_path / "scratch" / "runs" / "hex3-6x1-s0"
    (folder / "checkpoint").mkdir(parents=True)
    (folder / "config.yaml").write_bytes((tiny_run / "config.yaml").read_bytes())
    whole = (tiny_run / "checkpoint" / "state.safetensors").read_bytes()
    (folder / "checkpoint" / "state.safetensors").write_bytes(whole[:5000])
    ended = call("experiments.train", *TINY_RUN, f"studies={tmp_path}")
    assert ended.status == 1 and len(lines(ended.err)) == 1, ended.err
    assert "state.safetensors is damaged" in ended.err and "delete it to begin this run again" in ended.err


def test_a_file_system_without_locks_is_told(tmp_path, monkeypatch):
    def flock(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    ended = call("experiments.train", *TINY_RUN, f"studies={tmp_path}")
    assert ended.status == 1 and len(lines(ended.err)) == 1, ended.err
    assert "cannot be locked (No locks available)" in ended.err and "studies=DIR" in ended.err


def test_what_is_doubtful_in_a_game_is_told(monkeypatch, capsys):
    monkeypatch.setattr(cells, "doubt", lambda game: f"{game.title} is doubtful")
    cells.look_over(make("tictactoe"))
    assert capsys.readouterr().err == "warning: tictactoe3 is doubtful\n"
