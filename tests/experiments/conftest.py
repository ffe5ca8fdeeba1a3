"""A tiny run and a tiny study, made once for all tests that only look at them or copy them."""

import shutil
from unittest import mock

import pytest
from applications import TINY_RUN, TINY_STUDY, call
from study_without_fits import finish


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory):
    """Folder of a finished run of Hex 3x3; not to be changed."""
    studies = tmp_path_factory.mktemp("run")
    ended = call("experiments.train", *TINY_RUN, f"studies={studies}")
    assert ended.status == 0, ended.err
    return studies / "scratch" / "runs" / "hex3-6x1-s0"


@pytest.fixture(scope="session")
def tiny_study(tmp_path_factory):
    """Folder of a finished study of four runs, its matches played in this process; not to be changed."""
    pytest.importorskip("games.exact")
    studies = tmp_path_factory.mktemp("studies")
    with mock.patch("experiments.frontier.finish", finish):
        ended = call("experiments.train", *TINY_STUDY, f"studies={studies}", "jobs=1")
    assert ended.status == 0, ended.err
    return studies / "tiny"


@pytest.fixture
def copied_study(tiny_study, tmp_path):
    """A copy of the tiny study that a test may change."""
    return shutil.copytree(tiny_study, tmp_path / "tiny")
