"""Forward passes of fully connected residual networks on the CPU, without the overhead of a torch module.

Both forms below look at the memory of the parameters, so they follow every update in place; a parameter that is
replaced by another tensor is not noticed. Which of them is used depends on the network alone, since they round
differently and a row's answer must not depend on its batch. What is said of rounding below is measured, of Intel's MKL
with one or two threads; with more, layers of fewer than 12 columns per thread round by place, so that threads beyond
two are for wide networks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np
import torch

NARROW = 16  # up to this width the compiled loops are quicker than torch, and matrix products round by place
ROWS = 32  # positions that the compiled loops treat at a time
SMALLEST_BATCH = 8  # products with fewer than 4 rows per thread round differently; fewer than this are padded
SMALLEST_OUTPUT = 16  # products with fewer than 12 columns round by place; fewer than this are widened

# Fused multiply-adds change the rounding, but of all rows alike, since there are always ROWS of them.
_kernel: Any = numba.njit(cache=True, nogil=True, fastmath={"contract"})


class Residual(NamedTuple):
    """x = input(planes); x += alpha block(relu(x)) for each block; outputs = heads(relu(x)). W is [out, in]."""

    input: tuple[torch.Tensor, torch.Tensor]  # W, b
    blocks: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]  # each W, b, alpha
    heads: tuple[torch.Tensor, torch.Tensor]  # W, b; the logits, then the value before tanh


def forward_pass(network: Residual, precision: str) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Planes float32 [B, P, H, W] -> logits [B, A], value [B]; the weights are those of the moment of each call.

    With precision "bfloat16" the products of wide networks have 8 bits of mantissa; sums between layers keep 24.
    """
    if len(network.input[1]) <= NARROW:
        return Narrow(network)
    return WideBfloat16(network) if precision == "bfloat16" else Wide(network)


class Wide:
    """Matrix products by torch, all else in one compiled pass between them."""

    def __init__(self, network: Residual):
        weight, bias = network.input
        self.input = weight.detach().T, _array(bias)
        self.blocks = [(weight.detach().T, _array(bias), _array(alpha)) for weight, bias, alpha in network.blocks]
        self.heads = network.heads[0].detach(), network.heads[1].detach()

    def __call__(self, planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        count = len(planes)
        missing = SMALLEST_BATCH * torch.get_num_threads() - count
        if missing > 0:
            planes = np.concatenate([planes, np.zeros((missing, *planes.shape[1:]), np.float32)])
        # The biases are kept apart from x until they are needed: x + bias is what the formula calls x.
        weight, bias = self.input
        x = torch.mm(torch.from_numpy(planes.reshape(len(planes), -1)), weight)
        positive = torch.empty_like(x)
        sums, relus = x.numpy(), positive.numpy()  # the same memory
        for weight, block_bias, alpha in self.blocks:
            _add_and_relu(sums, bias, relus)
            x.addmm_(positive, weight, alpha=float(alpha[0]))
            bias = bias + alpha * block_bias
        _add_and_relu(sums, bias, relus)
        outputs = self._heads(positive)[:count]
        return outputs[:, :-1], np.tanh(outputs[:, -1])

    def _heads(self, x):
        weight, bias = self.heads
        actions = bias.shape[0]
        if actions < SMALLEST_OUTPUT:
            more = SMALLEST_OUTPUT - actions
            weight, bias = (torch.cat([one, one.new_zeros(more, *one.shape[1:])]) for one in self.heads)
        return torch.addmm(bias, x, weight.T).numpy()[:, :actions]


class WideBfloat16:
    """Products in bfloat16, which processors with AVX512-BF16 or AMX do at twice the rate and more."""

    def __init__(self, network: Residual):
        self.layers = network

    def __call__(self, planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        count, flat = len(planes), torch.from_numpy(planes).flatten(1)
        rows = flat.new_zeros((_few_sizes(count), flat.shape[1]), dtype=torch.bfloat16)
        rows[:count] = flat
        with torch.inference_mode():
            x = self._linear(rows, *self.layers.input).float()
            for weight, bias, alpha in self.layers.blocks:
                scale = float(alpha)
                x.add_(_product(torch.relu(x), weight), alpha=scale).add_(bias.detach(), alpha=scale)
            outputs = self._linear(torch.relu(x), *self.layers.heads)[:count].numpy()
        return outputs[:, :-1], np.tanh(outputs[:, -1])

    def _linear(self, x, weight, bias):
        return _product(x, weight).float().add_(bias.detach())


def _few_sizes(count: int) -> int:
    """The next batch size of 16 to an octave: torch's library (oneDNN) keeps 1.7 MB of code for every size."""
    step = max(SMALLEST_BATCH * torch.get_num_threads(), 1 << max(0, count.bit_length() - 5))
    return -(-count // step) * step


def _product(x, weight):
    return torch.mm(x.to(torch.bfloat16), weight.detach().to(torch.bfloat16).T)


class Narrow:
    """Compiled loops over ROWS positions at a time."""

    def __init__(self, network: Residual):
        self.input, *self.blocks, self.heads = (
            tuple(map(_array, layer)) for layer in (network.input, *network.blocks, network.heads)
        )

    def __call__(self, planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        count = len(planes)
        x = np.empty((-(-count // ROWS), len(self.input[1]), ROWS), np.float32)
        outputs = np.empty((count, len(self.heads[1])), np.float32)
        _narrow_input(planes.reshape(count, math.prod(planes.shape[1:])), *self.input, x)
        for block in self.blocks:
            _narrow_block(x, *block)
        _narrow_heads(x, *self.heads, outputs)
        return outputs[:, :-1], outputs[:, -1].copy()


def _array(tensor):
    """The memory of a parameter, a number as [1]."""
    return np.atleast_1d(tensor.detach().numpy())


# ---- kernels; x is [W, ROWS], a number of positions side by side --------------------------------------------------


@_kernel
def _add_and_relu(x, bias, positive):
    """positive = relu(x + bias), all rows of [B, W]."""
    for b in range(len(x)):
        for j in range(len(bias)):
            positive[b, j] = max(x[b, j] + bias[j], np.float32(0.0))


@_kernel
def _narrow_input(planes, weight, bias, x):
    """x [C, W, ROWS] from planes [B, inputs]; what is left over in the last chunk repeats the last position."""
    inputs = np.empty((planes.shape[1], ROWS), np.float32)
    for c in range(len(x)):
        for r in range(ROWS):
            row = min(c * ROWS + r, len(planes) - 1)
            for k in range(len(inputs)):
                inputs[k, r] = planes[row, k]
        _linear(inputs, weight, bias, x[c])


@_kernel
def _narrow_block(x, weight, bias, alpha):
    positive, branch = np.empty(x.shape[1:], np.float32), np.empty(x.shape[1:], np.float32)
    for c in range(len(x)):
        _relu(x[c], positive)
        _linear(positive, weight, bias, branch)
        for j in range(len(branch)):
            for r in range(ROWS):
                x[c, j, r] += alpha[0] * branch[j, r]


@_kernel
def _narrow_heads(x, weight, bias, outputs):
    """outputs [B, A + 1]: logits, and the value after tanh."""
    positive, column = np.empty(x.shape[1:], np.float32), np.empty((len(bias), ROWS), np.float32)
    last = len(bias) - 1
    for c in range(len(x)):
        _relu(x[c], positive)
        _linear(positive, weight, bias, column)
        for r in range(min(ROWS, len(outputs) - c * ROWS)):
            row = outputs[c * ROWS + r]
            for a in range(last):
                row[a] = column[a, r]
            row[last] = math.tanh(column[last, r])


@_kernel
def _relu(x, positive):
    for j in range(len(x)):
        for r in range(ROWS):
            positive[j, r] = max(x[j, r], np.float32(0.0))


@_kernel
def _linear(x, weight, bias, y):
    """y = weight x + bias, four inputs at a time."""
    inputs = weight.shape[1]
    for j in range(len(weight)):
        w, out = weight[j], y[j]
        for r in range(ROWS):
            out[r] = bias[j]
        for k in range(0, inputs - 3, 4):
            w0, w1, w2, w3 = w[k], w[k + 1], w[k + 2], w[k + 3]
            for r in range(ROWS):
                out[r] += w0 * x[k, r] + w1 * x[k + 1, r] + w2 * x[k + 2, r] + w3 * x[k + 3, r]
        for k in range(inputs - inputs % 4, inputs):
            for r in range(ROWS):
                out[r] += w[k] * x[k, r]
