"""What holds for every test."""

import os
import signal

import pytest
import torch

from games import exact_store
from training import interrupt

# One torch thread, as the commands take by default: results must not depend on the machine's cores.
torch.set_num_threads(1)

# A suite started in the background by a shell ignores Ctrl-C, and so would the processes that the tests send it to.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _stored_results_of_this_run_alone(tmp_path_factory):
    """What earlier runs and the user stored is neither read nor touched; compiled kernels are those of the user."""
    with pytest.MonkeyPatch.context() as patch:
        if not os.environ.get("NUMBA_CACHE_DIR"):
            patch.setenv("NUMBA_CACHE_DIR", str(exact_store.folder() / "kernels"))
        patch.setenv("ISOELO_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _nothing_heard():
    """A signal that a test sends to this process, or a command called here that listens, is nothing to the next."""
    yield
    interrupt.forget()
