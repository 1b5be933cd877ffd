"""Linear layers with few connections, for any input; `brainstate.event` has those for spikes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from .._state import LongTermState, ParamState, State
from .._units import split
from ..init import param
from ..init.parameters import full_param
from ..init.sizes import needed_size
from ..typing import ArrayLike, Size
from .checks import check_trailing
from .linear import affine
from .module import Module
from .weights import weights


class _Sparse(Module):
    """A layer with one connection from ``rows[k]`` to ``columns[k]`` for each `k`.

    Both stand in a State, to be inputs of compiled programs rather than constants in them.
    """

    def _connect(self, rows: Any, columns: Any, shape: tuple[int, int]) -> None:
        self.in_size, self.out_size = shape[:1], shape[1:]
        places = {"rows": jnp.asarray(rows, jnp.int32), "columns": jnp.asarray(columns, jnp.int32)}
        self.structure = LongTermState(places)

    def _product(self, x: Any, w: Any) -> Any:
        places = self.structure.value
        carried = jnp.asarray(x)[..., places["rows"]] * w
        y = jnp.zeros((*carried.shape[:-1], self.out_size[-1]), carried.dtype)  # type: ignore[index]
        return y.at[..., places["columns"]].add(carried)


class CSRLinear(_Sparse):
    """``x · W`` for `W` in compressed sparse rows, over the last axis.

    Row `i` holds ``weight[k]`` in column ``indices[k]`` for `k` from ``indptr[i]`` up to
    ``indptr[i + 1]``; repeated entries add up. The State `weight` holds one number for each
    connection, or one that all share; units are allowed. Where they lead is in `structure`.

    >>> import brainstate, jax.numpy as jnp
    >>> layer = brainstate.nn.CSRLinear(3, 4, [0, 2, 2, 3], [0, 3, 1], jnp.array([1.0, 2.0, 3.0]))
    >>> layer(jnp.array([1.0, 0.0, 1.0])).tolist()
    [1.0, 3.0, 0.0, 2.0]
    """

    def __init__(
        self,
        n_pre: int,
        n_post: int,
        indptr: ArrayLike,
        indices: ArrayLike,
        weight: Callable | ArrayLike,
        name: str | None = None,
        param_type: type[State] = ParamState,
    ):
        super().__init__(name=name)
        (n_pre,), (n_post,) = needed_size(n_pre, "n_pre"), needed_size(n_post, "n_post")
        starts, columns = _integers(indptr, "indptr"), _integers(indices, "indices")
        if starts.size != n_pre + 1 or starts[0] != 0 or starts[-1] != columns.size:
            raise ValueError(
                f"`indptr` must have n_pre + 1 = {n_pre + 1} elements, from 0 to the number of "
                f"indices, which is {columns.size}; found {starts}."
            )
        counts = np.diff(starts)
        if np.any(counts < 0):
            raise ValueError(f"`indptr` must never decrease; found {starts}.")
        if columns.size and not 0 <= columns.min() <= columns.max() < n_post:
            raise ValueError(
                f"`indices` must lie in [0, n_post) = [0, {n_post}); found numbers from "
                f"{columns.min()} to {columns.max()}."
            )
        self._connect(np.repeat(np.arange(n_pre), counts), columns, (n_pre, n_post))
        value = param(weight, columns.shape, allow_none=False)
        scalar = jnp.ndim(split(value)[0]) == 0
        self.weight = param_type(full_param(value, () if scalar else columns.shape))

    def update(self, x: ArrayLike) -> Any:
        check_trailing(self, x, self.in_size)  # type: ignore[arg-type]
        return affine(x, self.weight.value, product=self._product)


class SparseLinear(_Sparse):
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
        self._connect(rows, columns, (n_in, n_out))
        if in_size is not None:
            size = needed_size(in_size, "in_size")
            if size[-1] != n_in:
                raise ValueError(f"`in_size` must end in {n_in}, the rows of W; found {size}.")
            self.in_size, self.out_size = size, (*size[:-1], n_out)
        shape = jnp.shape(rows)
        self.weight = param_type(weights((spar_mat.data, shape), bias=(b_init, (n_out,))))

    def update(self, x: ArrayLike) -> Any:
        check_trailing(self, x, self.in_size[-1:])  # type: ignore[index]
        value = self.weight.value
        return affine(x, value["weight"], value.get("bias"), self._product)


def _integers(x: Any, name: str) -> np.ndarray:
    array = np.asarray(x)
    if array.ndim != 1 or not (np.issubdtype(array.dtype, np.integer) or array.size == 0):
        raise ValueError(f"`{name}` must be a vector of integers; found {x!r}.")
    return array.astype(np.int32)


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
        f"brainunit.sparse.CSR.fromdense(w) makes; found {type(matrix).__name__}."
    )
