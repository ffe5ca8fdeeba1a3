"""Hydra applications: runs and studies, matches, ratings, fits, figures, report, measurements of speed."""

import os
import tempfile

# Before torch is loaded: its threads sleep while they wait for each other. Those that spin take the core of the thread
# that they wait for wherever a machine has other work: measured in docs/speed.md, "Threads and processes".
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Before matplotlib is loaded: without a home that can be written it would say so in two lines, and look for its fonts
# anew each time.
if not os.access(os.path.expanduser("~"), os.W_OK):
    os.environ.setdefault("MPLCONFIGDIR", os.path.join(tempfile.gettempdir(), f"isoelo-matplotlib-{os.getuid()}"))
