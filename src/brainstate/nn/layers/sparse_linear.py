"""A linear layer with the entries of a sparse matrix; `brainstate.event` has those for spikes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..._state import LongTermState, ParamState, State
from ..._units import split
from ...init.sizes import needed_size
from ...typing import ArrayLike, Size
from ..checks import check_trailing
from ..module import Module
from .linear import affine
from .weights import weights


class SparseLinear(Module):
    """``x · W + b`` over the last axis, for a sparse matrix `W` with trainable entries.

    `spar_mat` is a matrix of shape ``(in, out)`` of `brainunit.sparse`, `jax.experimental.sparse`
    or `scipy.sparse`, in coordinates (COO, BCOO) or compressed (CSR, BCSR, CSC); its stored
    entries are `weight` in the State of that name, and their places are in `structure`. `in_size`
    may have axes before the last one.

    >>> import brainstate, brainunit as u, jax.numpy as jnp
    >>> matrix = u.sparse.CSR.fromdense(jnp.array([[0.0, 1.0], [2.0, 0.0]]))
    >>> brainstate.nn.SparseLinear(matrix)(jnp.array([3.0, 4.0])).tolist()
    [8.0, 3.0]
    """

    def __init__(
        self,
        spar_mat: Any,
        b_init: Callable | ArrayLike | None = None,
        in_size: Size | None = None,
        name: str | None = None,
        param_type: type[State] = ParamState,
    ):
        super().__init__(name=name)
        rows, columns = _coordinates(spar_mat)
        n_in, n_out = spar_mat.shape
        size = needed_size(n_in if in_size is None else in_size, "in_size")
        if size[-1] != n_in:
            raise ValueError(
                f"`in_size` must end in {n_in}, the rows of W; found {size}. [BST-A04]"
            )
        self.in_size, self.out_size = size, (*size[:-1], n_out)
        # In a State, the places are inputs of compiled programs rather than constants in them.
        places = {"rows": jnp.asarray(rows, jnp.int32), "columns": jnp.asarray(columns, jnp.int32)}
        self.structure = LongTermState(places)
        shape = jnp.shape(rows)
        self.weight = param_type(weights((spar_mat.data, shape), bias=(b_init, (n_out,))))

    def update(self, x: ArrayLike) -> Any:
        check_trailing(self, x, self.in_size[-1:])  # type: ignore[index]
        value = self.weight.value
        return affine(x, value["weight"], value.get("bias"), self._product)

    def _product(self, x: Any, w: Any) -> Any:
        places = self.structure.value
        carried = jnp.asarray(x)[..., places["rows"]] * w
        y = jnp.zeros((*carried.shape[:-1], self.out_size[-1]), carried.dtype)  # type: ignore[index]
        return y.at[..., places["columns"]].add(carried)


def _coordinates(matrix: Any) -> tuple[Any, Any]:
    """The rows and columns of the stored entries of a sparse matrix, in the order of its data."""
    data = split(getattr(matrix, "data", 0))[0]
    if len(getattr(matrix, "shape", ())) == 2 and len(getattr(data, "shape", ())) == 1:
        if hasattr(matrix, "row"):
            return matrix.row, matrix.col
        if hasattr(matrix, "indptr"):
            counts = np.diff(np.asarray(matrix.indptr))
            along = np.repeat(np.arange(counts.size), counts)
            by_column = "csc" in type(matrix).__name__.lower()
            return (matrix.indices, along) if by_column else (along, matrix.indices)
        if jnp.ndim(getattr(matrix, "indices", 0)) == 2:
            return matrix.indices[:, 0], matrix.indices[:, 1]
    raise TypeError(
        "`spar_mat` must be a matrix in COO, BCOO, CSR, BCSR or CSC form, such as "
        f"brainunit.sparse.CSR.fromdense(w) makes; found {type(matrix).__name__}. [BST-A01]"
    )
