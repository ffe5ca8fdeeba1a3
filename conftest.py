"""What holds for every test."""

import signal

import torch

# One torch thread, as the commands take by default: results must not depend on the machine's cores.
torch.set_num_threads(1)

# A suite started in the background by a shell ignores Ctrl-C, and so would the processes that the tests send it to.
signal.signal(signal.SIGINT, signal.default_int_handler)
