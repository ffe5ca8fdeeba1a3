"""Studies whose runs are started by another launcher: one after the other, or as jobs of a cluster."""

import pytest
from applications import TINY_STUDY, call, finish, snapshots, start

from experiments import study
from experiments.command import one_line_errors

STUDY = ("tests/experiments/study_without_fits.py",)


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["basic", "submitit_local"])
def test_a_study_has_the_same_runs_whoever_starts_them(tiny_study, tmp_path, launcher):
    if launcher != "basic":
        pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="comes with the extra 'cluster'")
    ended = finish(start(*TINY_STUDY, f"hydra/launcher={launcher}", f"studies={tmp_path}", program=STUDY))
    assert ended.status == 0, ended.err
    assert snapshots(tmp_path / "tiny") == snapshots(tiny_study)


def test_a_study_without_workers_here_leaves_at_once(monkeypatch, capsys):
    monkeypatch.setattr(study.psutil.Process, "children", lambda *_, **__: [])
    with pytest.raises(KeyboardInterrupt):
        study._pass_on("SIGINT")
    assert "(jobs on a cluster go on); the same command takes up what is left" in capsys.readouterr().err


@pytest.mark.parametrize("error, told", [
    (type("UncompletedJobError", (RuntimeError,), {"__module__": "submitit.core.utils"})(
        "Job 7 (task: 0) with path x.pkl\nhas not produced any output (state: NODE_FAIL)\nError stream:\n..."),
     "Job 7 (task: 0) with path x.pkl has not produced any output (state: NODE_FAIL);"),
    (RuntimeError('Could not detect "srun", are you indeed on a slurm cluster?'), 'Could not detect "srun"'),
])  # fmt: skip
def test_what_a_cluster_says_is_one_line(capsys, error, told):
    def command():
        raise error

    with pytest.raises(SystemExit) as end:
        one_line_errors(command)()
    said = capsys.readouterr().err
    assert end.value.code == 1 and said.startswith(f"error: from the cluster: {told}") and said.count("\n") == 1


def test_other_errors_keep_their_traceback():
    def command():
        raise RuntimeError("a fault of the program")

    with pytest.raises(RuntimeError):
        one_line_errors(command)()


def test_settings_of_one_launcher_do_not_stand_in_the_way_of_another():
    ended = call("experiments.train", "hydra/launcher=basic", "--cfg", "hydra")
    assert ended.status == 0 and "BasicLauncher" in ended.out, ended.err
