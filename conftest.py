"""Tests use one torch thread, as the commands do by default: results must not depend on the machine's cores."""

import torch

torch.set_num_threads(1)
