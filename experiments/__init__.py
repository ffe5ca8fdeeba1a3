"""Hydra applications: runs and studies, matches, ratings, fits, figures, report, measurements of speed.

train, study, cells      a run; a sweep of runs and what follows it; one run of a sweep and its folder
arena                    the command that plays a study's matches: arena_settings, pool (the agents), schedule (who
                         meets whom), play (the games)
ratings                  Elo from a match table: matches (its games), bradley_terry (the model)
frontier                 fits, figures and report: collect (agents with their compute), envelope (the best of them),
                         fits (the models), intervals (the bootstrap), planner, analysis (all numbers), figures,
                         report, board (TensorBoard), and result, which hands these on
synthetic                made-up studies, which check all of the above
duel, rules, position    two agents; rules of search at equal budgets; one position at length; against: a game with you
bench                    speed: measure, scaling, random_play, peers (other programs)
sharing                  what it saves to share searches
records, provenance      the files of a study, and where they come from
command, outside, rule_settings, threads   what the commands have in common
"""

import os
import tempfile

import games  # noqa: F401  before all else: Ctrl-C ends a command that is still being loaded without a traceback

# Before torch is loaded: its threads sleep while they wait for each other. Those that spin take the core of the thread
# that they wait for wherever a machine has other work: measured in docs/speed.md, "Threads and processes".
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Before matplotlib is loaded: without a home that can be written it would say so in two lines, and look for its fonts
# anew each time.
if not os.access(os.path.expanduser("~"), os.W_OK):
    os.environ.setdefault("MPLCONFIGDIR", os.path.join(tempfile.gettempdir(), f"isoelo-matplotlib-{os.getuid()}"))
