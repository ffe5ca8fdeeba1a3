"""Hydra applications: runs and studies, matches, ratings, fits, figures, report, measurements of speed."""

import os

# Before torch is loaded: its threads sleep while they wait for each other. Those that spin take the core of the thread
# that they wait for wherever a machine has other work: measured in docs/speed.md, "Threads and processes".
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
