"""The page opens from disk alone, says what the numbers mean, and survives what is missing."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import markupsafe
import matplotlib.figure
import pytest

from experiments import figures, frontier, report, synthetic
from experiments.analysis import Settings
from experiments.provenance import program

FOLDER = "import os, experiments.figures; print(os.environ.get('MPLCONFIGDIR', ''))"

TRUTH = synthetic.Truth(sizes=(4, 5), widths=(4, 16, 64), snapshots=4, budgets=(1, 8, 64), openings=8, opponents=6)

COMMAND = ["python", "-m", "experiments.train", "study=<b>", "training.boards=[{size: 3},{size: 4}]"]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    synthetic.write_study(folder, TRUTH, 0)
    run = folder / "runs" / "hex4-w4-s0"
    run.mkdir(parents=True)
    note = {"commit": "abc123", "seconds": 61.5, "machine": {"processor": "Chip", "cores": 2}, "seed": 0}
    (run / "provenance.json").write_text(json.dumps(note))
    broken = folder / "runs" / "broken"
    broken.mkdir()
    (broken / "provenance.json").write_text("{")
    (folder / "provenance.json").write_text(json.dumps({"command": COMMAND, "started": "then"}))
    result = frontier.study_result(folder, None, Settings(replicates=25))
    frontier.write(result, folder)
    return result, (folder / "report.html").read_text()


class Page(HTMLParser):
    """Every attribute that makes a browser load something, and the balance of tags."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.loads += [value for name, value in attributes if name in ("src", "href", "srcset", "data")]
        if tag not in ("meta", "img", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_loads_nothing(study):
    _, text = study
    page = Page(text)
    assert page.open == [] and len(page.loads) == 5
    assert all(value.startswith("data:image/svg+xml;base64,") for value in page.loads)
    assert not re.search(r"@import|url\(|<script", text)


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs a browser")
def test_a_phone_scrolls_wide_tables_and_figures_and_not_the_page(study, tmp_path):
    """The page in a frame of 375 pixels, whose script tells how wide it is."""
    script = """<iframe width=375 height=700></iframe><script>const frame = document.querySelector("iframe");
    frame.onload = () => document.title = "wide " + frame.contentDocument.documentElement.scrollWidth;
    frame.srcdoc = PAGE;</script>"""
    text = json.dumps(study[1]).replace("</", "<\\/")
    (tmp_path / "frame.html").write_text(script.replace("PAGE", text))
    browser = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/profile"]
    seen = subprocess.run([*browser, "--virtual-time-budget=5000", "--dump-dom", f"file://{tmp_path}/frame.html"],
                          capture_output=True, text=True, timeout=300).stdout  # fmt: skip
    assert int(re.search(r"<title>wide (\d+)", seen)[1]) <= 375


def test_the_page_says_what_the_numbers_mean(study):
    result, text = study
    rate = result.numbers["tradeoff"]["exchange_rate"]
    assert f"The exchange rate is {rate:.2f} [" in text and "Ten times more training is worth" in text
    for word in ("1 multiply-add = 2 FLOPs", "abc123", "Chip, 2 cores", "62 s", "11.15", "2104.03113", "one seed"):
        assert word in text or word == "11.15"  # size 3 is not in this study
    assert f"<code>{markupsafe.escape(shlex.join(COMMAND))}</code>" in text and "study=&lt;b&gt;" in text


def test_warnings_are_on_the_page(study):
    result, text = study
    assert result.numbers["warnings"]
    for warning in result.numbers["warnings"]:
        assert warning.split(";")[0] in text


def test_figures_are_matplotlib_figures_with_units_on_every_axis(study):
    result, _ = study
    for name, figure in figures.draw(result).items():
        assert isinstance(figure, matplotlib.figure.Figure)
        named = [axes.get_xlabel() for axes in figure.axes] + [axes.get_ylabel() for axes in figure.axes]
        named += [figure.get_supxlabel()]
        words = " ".join(named)
        assert "Elo" in words, name
        if "elo" in name:
            assert "FLOPs, 1 multiply-add = 2" in words, name


def test_an_exchange_rate_without_end_is_drawn(study):
    """Where search brings nothing the rate is infinite, or unknown."""
    result, _ = study
    band = {"low": -300, "high": -100, "exchange_rate": 0.8, "exchange_rate_ci": [0.1, float("inf")]}
    for rate in (float("inf"), float("nan")):
        numbers = {"exchange_rate": rate, "exchange_rate_ci": [0.5, float("inf")], "by_elo": [band]}
        figure = figures.exchange_rate(replace(result, tradeoff=replace(result.tradeoff, numbers=numbers)))
        low, high = figure.axes[0].get_ylim()
        assert low == 0 and 1 <= high < 2


def test_rendering_is_reproducible(study):
    result, _ = study
    one, two = (figures.render(figures.draw(result)["iso_elo"], "svg") for _ in range(2))
    assert one == two and b"<image" not in one[:2000]


def test_numbers_as_text():
    assert report.number(-1234.5, 1) == "−1 234.5" and report.number(None) == "–" and report.number(float("nan")) == "–"
    assert report.span(1.234, [1.1, float("inf")]) == "1.23 [1.10, ∞]" and report.span(1.0, None) == "1.00"
    assert report.power(9.5) == "3.2e+09" and report.duration(600) == "10 min" and report.duration(8000) == "2.2 h"


def test_a_surface_that_does_not_rise_has_no_rate_in_words():
    surface = {"train_slope": 10.0, "test_slope": -1.0, "exchange_rate": float("inf"), "exchange_rate_ci": [1, 2]}
    assert "no exchange rate" in " ".join(report.sentences({"tradeoff": surface}))


@pytest.mark.parametrize(("home", "given", "taken"), [
    ("nothing", None, f"{tempfile.gettempdir()}/isoelo-matplotlib-{os.getuid()}"), ("nothing", "mine", "mine"),
    ("", None, ""),
])  # fmt: skip
def test_without_a_home_figures_say_nothing_of_their_fonts(tmp_path, home, given, taken):
    """matplotlib would warn that it cannot write below HOME."""
    environment = os.environ | {"HOME": str(tmp_path / home), "OMP_NUM_THREADS": "1"}
    environment.pop("MPLCONFIGDIR", None)
    environment |= {"MPLCONFIGDIR": str(tmp_path / given)} if given else {}
    ended = subprocess.run([sys.executable, "-c", FOLDER], env=environment, capture_output=True, text=True)
    assert (ended.stdout.strip(), ended.stderr) == (str(tmp_path / taken) if given else taken, "")


@pytest.mark.parametrize(("decades", "told"), [
    (-5, "10^-5.0"), (-2.5, "0.0032"), (-0.3, "0.5"), (0, "1.0"), (1.2, "15.8"), (3.51, "3236"), (7.74, "10^7.7"),
])  # fmt: skip
def test_an_exchange_rate_is_told_as_a_factor(decades, told):
    surface = {"train_slope": 100.0, "test_slope": 50.0, "exchange_rate": decades, "train_slope_ci": None,
               "test_slope_ci": None, "exchange_rate_ci": [decades, decades]}  # fmt: skip
    said = report.sentences({"tradeoff": surface})[1]
    assert said.endswith(f"a factor of {told} of search, between {told} and {told} with 95 % confidence.")


def test_the_command_can_be_given_again():
    assert program(Path("/there/experiments/train.py")) == ["python", "-m", "experiments.train"]
    assert program(Path("/usr/bin/pytest")) == ["pytest"]
