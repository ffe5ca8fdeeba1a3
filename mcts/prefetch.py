"""Asking for memory ahead of its use. A search walks many trees in turn, too many for the nearer caches."""

from typing import Any

import numba
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

AHEAD = 4  # rows of the batch
_LINE = 64  # bytes of a cache line


@intrinsic
def _fetch(typing_context, address):
    """LLVM's hint that the line at `address` will be written to soon."""

    def generate(context, builder, signature, arguments):
        pointer = builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())
        number = ir.IntType(32)
        hint = ir.FunctionType(ir.VoidType(), [pointer.type, number, number, number])
        builder.call(
            builder.module.declare_intrinsic("llvm.prefetch", [pointer.type], hint),
            [pointer, number(1), number(3), number(1)],
        )
        return context.get_dummy_value()

    return types.void(types.uintp), generate


def _prefetch(array):
    """Begin to load a contiguous array; changes nothing but the time that its next use takes."""
    address = array.ctypes.data
    for offset in range(0, array.size * array.itemsize, _LINE):
        _fetch(address + offset)  # type: ignore[call-arg]  # the compiler passes the context


def _nothing(array):
    """Without the compiler there is nothing to be gained."""


njit: Any = numba.njit
prefetch: Any = _nothing if numba.config.DISABLE_JIT else njit(nogil=True, _nrt=False)(_prefetch)  # type: ignore[attr-defined]
