"""Forward passes of convolutional residual networks on the CPU: convolutions by torch, all else compiled, by position.

As in agents/dense.py the memory of the parameters is looked at, so that updates in place are followed. What a row's
answer depends on: the compiled loops treat one position at a time; of torch's convolutions of 3 x 3 cells (oneDNN) it
is measured, on an AVX2 processor with one and two threads, that batches of 2 and more give the same bits to a position
wherever it stands, and that a batch of one does not. Convolutions of one cell round by place; here they are loops.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np
import torch
from torch.nn import functional

SMALLEST_BATCH = 8  # per thread; fewer positions are padded
CHUNK = 262_144  # numbers of one layer that are treated at a time, so that they are still near when they are used

# Sums are reordered into lanes, the same for every position, since all have the same lengths.
_kernel: Any = numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz"})


class Convolutional(NamedTuple):
    """The layers that agents/networks/conv.py describes; C channels, W of a linear layer is [out, in]."""

    input: tuple[torch.Tensor, ...]  # W [C, P + 1, 3, 3], b
    blocks: list[tuple[torch.Tensor, ...]]  # each alpha, W1 [C, C, 3, 3], W2 [C, C, 3, 3], b, V [C, 2 C], v
    heads: list[tuple[torch.Tensor, ...]]  # each W, b: by cell, by column, by board, value's hidden layer, value
    entries: np.ndarray  # int64 [A]: which number of the policy heads, one after the other, is an action's logit


def forward_pass(network: Convolutional) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Planes float32 [B, P, H, W] -> logits [B, A], value [B]; the weights are those of the moment of each call."""
    weight, bias = (tensor.detach() for tensor in network.input)
    blocks = [(_array(alpha), w1.detach(), w2.detach(), _array(b), _array(v), _array(shift))
              for alpha, w1, w2, b, v, shift in network.blocks]  # fmt: skip
    heads = [_array(tensor) for layer in network.heads for tensor in layer]

    def answer(planes):
        count, _, rows, columns = planes.shape
        logits, value = np.empty((count, len(network.entries)), np.float32), np.empty(count, np.float32)
        step = max(SMALLEST_BATCH * torch.get_num_threads(), CHUNK // (len(bias) * rows * columns))
        for start in range(0, count, step):
            some = slice(start, start + step)
            positive, pooled = body(planes[some])
            _heads(positive, pooled, columns, *heads, network.entries, logits[some], value[some])
        return logits, value

    def body(planes):
        count, _, rows, columns = planes.shape
        missing = max(0, SMALLEST_BATCH * torch.get_num_threads() - count)
        with_ones = functional.pad(torch.from_numpy(planes), (0, 0, 0, 0, 0, 1, 0, missing), value=1.0)
        board = with_ones.shape[0], rows, columns, len(bias)
        x = _cells(functional.conv2d(with_ones.contiguous(memory_format=torch.channels_last), weight, bias, padding=1))
        positive, pooled = np.empty_like(x), np.empty((len(x), 2 * len(bias)), np.float32)
        _relu_and_pool(x, positive, pooled)
        for alpha, w1, w2, b, v, shift in blocks:
            inner = _cells(functional.conv2d(_image(positive, board), w1, padding=1))
            _shift_and_relu(inner, pooled, v, shift)
            _add(x, _cells(functional.conv2d(_image(inner, board), w2, padding=1)), b, alpha)
            _relu_and_pool(x, positive, pooled)
        return positive, pooled

    return answer


def _array(tensor):
    """The memory of a parameter, a number as [1]."""
    return np.atleast_1d(tensor.detach().numpy())


def _cells(image):
    """[B, C, H, W], channels last in memory -> [B, H * W, C] over the same memory."""
    return image.permute(0, 2, 3, 1).contiguous().flatten(1, 2).numpy()


def _image(cells, board):
    """[B, H * W, C] -> [B, C, H, W] over the same memory."""
    return torch.from_numpy(cells).view(board).permute(0, 3, 1, 2)


# ---- kernels; x is [B, H * W, C], pooled [B, 2 C]: mean, then largest -----------------------------------------------


@_kernel
def _relu_and_pool(x, positive, pooled):
    cells, width = x.shape[1:]
    for b in range(len(x)):
        mean, most = pooled[b, :width], pooled[b, width:]
        mean[:] = 0
        most[:] = 0
        for cell in range(cells):
            for c in range(width):
                value = max(x[b, cell, c], np.float32(0.0))
                positive[b, cell, c] = value
                mean[c] += value
                most[c] = max(most[c], value)
        for c in range(width):
            mean[c] /= cells


@_kernel
def _shift_and_relu(x, pooled, weight, bias):
    """x = relu(x + weight pooled + bias), the same at all cells of a position."""
    shift = np.empty(x.shape[2], np.float32)
    for b in range(len(x)):
        for c in range(len(shift)):
            shift[c] = bias[c] + _dot(weight[c], pooled[b])
        for cell in range(x.shape[1]):
            for c in range(len(shift)):
                x[b, cell, c] = max(x[b, cell, c] + shift[c], np.float32(0.0))


@_kernel
def _add(x, branch, bias, alpha):
    """x += alpha (branch + bias)."""
    for b in range(len(x)):
        for cell in range(x.shape[1]):
            for c in range(len(bias)):
                x[b, cell, c] += alpha[0] * (branch[b, cell, c] + bias[c])


@_kernel
def _heads(x, pooled, columns, cell_w, cell_b, column_w, column_b, board_w, board_b, hidden_w, hidden_b, value_w,
           value_b, entries, logits, values):  # fmt: skip
    cells, width = x.shape[1:]
    numbers = np.empty(len(cell_b) * cells + len(column_b) * columns + len(board_b), np.float32)
    column, hidden = np.empty(2 * width, np.float32), np.empty(width, np.float32)
    for b in range(len(values)):
        i = 0
        for k in range(len(cell_b)):
            for cell in range(cells):
                numbers[i] = cell_b[k] + _dot(cell_w[k], x[b, cell])
                i += 1
        for k in range(len(column_b)):
            for col in range(columns):
                _pool_column(x[b], col, columns, column)
                numbers[i] = column_b[k] + _dot(column_w[k], column)
                i += 1
        for k in range(len(board_b)):
            numbers[i] = board_b[k] + _dot(board_w[k], pooled[b])
            i += 1
        for a in range(len(entries)):
            logits[b, a] = numbers[entries[a]]
        for j in range(width):
            hidden[j] = max(hidden_b[j] + _dot(hidden_w[j], pooled[b]), np.float32(0.0))
        values[b] = math.tanh(value_b[0] + _dot(value_w[0], hidden))


@_kernel
def _pool_column(x, col, columns, pooled):
    width = x.shape[1]
    pooled[:] = 0
    for cell in range(col, len(x), columns):
        for c in range(width):
            pooled[c] += x[cell, c]
            pooled[width + c] = max(pooled[width + c], x[cell, c])
    for c in range(width):
        pooled[c] /= len(x) // columns


@_kernel
def _dot(a, b):
    total = np.float32(0.0)
    for k in range(len(a)):
        total += a[k] * b[k]
    return total
