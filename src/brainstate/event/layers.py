"""Layers of synapses that spikes pass."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from .._state import LongTermState, ParamState
from .._units import attach, split, unit_of
from ..init.parameters import full_param
from ..nn.checks import check_trailing
from ..nn.dynamics.arrival import Arrival
from ..nn.module import Module
from ..typing import ArrayLike, SeedOrKey, Size
from . import connections
from .checks import as_indices
from .connections import CSR, Connection, Dense, FixedFanOut, Regenerated
from .drawing import neurons, number_or_share, seed_word, share, targets

_GRAD_MODES = ("vjp", "jvp")


class Connected(Module):
    """A layer of one connection: what arrives behind it is ``spikes @ connection``.

    The weights of a `Connection` become the parameter `weight`, and where its synapses lead the
    State `structure`, so that both are saved together. Any other object with a `shape` and a
    product is used as it stands.

    >>> import brainstate, jax.numpy as jnp
    >>> layer = brainstate.event.Connected(brainstate.event.Dense(jnp.ones((3, 2)), (3, 2)))
    >>> layer(jnp.array([True, True, False])), layer.weight.value.shape
    (Array([2., 2.], dtype=float32), (3, 2))
    """

    structure: LongTermState | None = None

    def __init__(self, connection: Any, name: str | None = None):
        super().__init__(name=name)
        self.in_size, self.out_size = connection.shape
        self._kind: Any = type(connection) if isinstance(connection, Connection) else None
        if self._kind is None:
            self._other = connection
            return
        arrays, self._static = _by_role(connection)
        self.weight = ParamState(arrays.pop("weight"))
        if arrays:
            self.structure = LongTermState(arrays)

    @property
    def connection(self) -> Any:
        """The connection, with the present weights."""
        if self._kind is None:
            return self._other
        structure = {} if self.structure is None else self.structure.value
        return self._kind(weight=self.weight.value, **structure, **self._static)

    def arrival(self, spk: ArrayLike) -> Any:
        """What the spikes will add behind the synapses, for a projection to add in place."""
        if self._kind is None or unit_of(spk) is not None:
            return self(spk)
        check_trailing(self, spk, self.in_size, "spikes")  # type: ignore[arg-type]
        return Arrival(self.connection, jnp.asarray(split(spk)[0]))

    def update(self, spk: ArrayLike) -> Any:
        check_trailing(self, spk, self.in_size, "spikes")  # type: ignore[arg-type]
        number, unit = split(spk)
        out = jnp.asarray(number) @ self.connection
        return out if unit is None else out * attach(1.0, unit)


class _Layer(Connected):
    """A layer whose connection is made from the arguments of its constructor."""

    def __init__(self, connection: Connection, name: str | None, grad_mode: str):
        if grad_mode not in _GRAD_MODES:
            raise ValueError(
                f"grad_mode must be one of {_GRAD_MODES}; found {grad_mode!r}. [BST-A03]"
            )
        super().__init__(connection, name=name)


class Linear(_Layer):
    """Synapses from each of `n_pre` neurons to each of `n_post`: ``y = spk · weight``.

    Spikes are bool, or numbers that multiply the weights; any batch axes may stand before them. A
    scalar `weight` stands for all synapses. Derivatives in both modes are exact for weights and
    spikes, also where there is no spike; so `grad_mode` changes nothing.

    >>> import brainstate, jax.numpy as jnp
    >>> layer = brainstate.event.Linear(3, 2, jnp.arange(6.0).reshape(3, 2))
    >>> layer(jnp.array([True, False, True]))
    Array([4., 6.], dtype=float32)
    """

    def __init__(
        self,
        n_pre: Size,
        n_post: Size,
        weight: Callable | ArrayLike,
        name: str | None = None,
        grad_mode: str = "vjp",
    ):
        shape = neurons(n_pre, "n_pre"), neurons(n_post, "n_post")
        super().__init__(Dense(_weights(weight, shape), shape), name, grad_mode)


class OneToOne(_Layer):
    """A synapse from each of `n` neurons to the one of the same index: ``y = spk * weight``.

    For spikes and derivatives see `Linear`.

    >>> import brainstate, jax.numpy as jnp
    >>> brainstate.event.OneToOne(3, jnp.array([1.0, 2.0, 3.0]))(jnp.array([True, False, True]))
    Array([1., 0., 3.], dtype=float32)
    """

    def __init__(
        self,
        n: Size,
        weight: Callable | ArrayLike,
        name: str | None = None,
        grad_mode: str = "vjp",
    ):
        n = neurons(n, "n")
        super().__init__(connections.OneToOne(_weights(weight, (n,)), (n, n)), name, grad_mode)


class _FanOut(_Layer):
    """A layer with as many synapses from each neuron, drawn at construction, or from a seed."""

    def __init__(
        self,
        shape: tuple[int, int],
        count: int,
        weight: Callable | ArrayLike,
        allow_multi_conn: bool,
        seed: SeedOrKey | None,
        name: str | None,
        grad_mode: str,
        regenerate: bool,
    ):
        super().__init__(
            _regenerated(shape, count, weight, allow_multi_conn, seed)
            if regenerate
            else _stored(shape, count, weight, allow_multi_conn, seed),
            name,
            grad_mode,
        )

    @property
    def indices(self) -> Any:
        """The targets, a row for each neuron."""
        connection = self.connection
        return connection.targets if isinstance(connection, Regenerated) else connection.indices


def _stored(
    shape: tuple[int, int], count: int, weight: Any, repeats: bool, seed: SeedOrKey | None
) -> FixedFanOut:
    indices = targets(shape, count, repeats, seed)
    return FixedFanOut(_weights(weight, indices.shape), indices, shape)


def _regenerated(
    shape: tuple[int, int], count: int, weight: Any, repeats: bool, seed: SeedOrKey | None
) -> Regenerated:
    if not repeats:
        raise ValueError(
            "Targets that are regenerated from a seed may be drawn more than once; found "
            "allow_multi_conn=False. Store them (regenerate=False) for different ones. [BST-E04]"
        )
    weight = _weights(weight, (shape[0], count))
    if jnp.ndim(split(weight)[0]):
        raise ValueError(
            "Regenerated synapses have one weight for all; found an array or initializer. Give a "
            "scalar, or store the synapses (regenerate=False). [BST-E04]"
        )
    return Regenerated(weight, seed_word(shape, count, seed), count, shape)


class FixedProb(_FanOut):
    """Each neuron has synapses to a share `prob` of the `n_post` neurons behind, drawn at random.

    That is ``n_conn = int(n_post * prob)`` synapses from each: ``y[indices[i, k]] += weight[i, k]
    spk[i]``. A target may be drawn more than once if `allow_multi_conn`. `weight` is a scalar or
    of shape ``(n_pre, n_conn)``; for spikes and derivatives see `Linear`. With `regenerate`,
    targets are not stored but drawn anew from the seed at each use (see `Regenerated`).

    >>> import brainstate, jax.numpy as jnp
    >>> layer = brainstate.event.FixedProb(4, 10, prob=0.3, weight=2.0, seed=0)
    >>> layer.indices.shape, layer(jnp.array([True, False, False, True])).sum()
    ((4, 3), Array(12., dtype=float32))
    """

    def __init__(
        self,
        n_pre: Size,
        n_post: Size,
        prob: float,
        weight: Callable | ArrayLike,
        allow_multi_conn: bool = True,
        seed: SeedOrKey | None = None,
        name: str | None = None,
        grad_mode: str = "vjp",
        regenerate: bool = False,
    ):
        shape = neurons(n_pre, "n_pre"), neurons(n_post, "n_post")
        count = share(prob, shape[1])
        super().__init__(shape, count, weight, allow_multi_conn, seed, name, grad_mode, regenerate)


class FixedNumConn(_FanOut):
    """Each neuron has `conn_num` synapses, drawn at random; a share of `out_size` if it is a float.

    The rest is as in `FixedProb`.

    >>> import brainstate
    >>> brainstate.event.FixedNumConn(4, 10, 3, 0.5, allow_multi_conn=False).indices.shape
    (4, 3)
    """

    def __init__(
        self,
        in_size: Size,
        out_size: Size,
        conn_num: int | float,
        conn_weight: Callable | ArrayLike,
        allow_multi_conn: bool = True,
        seed: SeedOrKey | None = None,
        name: str | None = None,
        grad_mode: str = "vjp",
        regenerate: bool = False,
    ):
        shape = neurons(in_size, "in_size"), neurons(out_size, "out_size")
        count = number_or_share(conn_num, shape[1], "conn_num")
        super().__init__(
            shape, count, conn_weight, allow_multi_conn, seed, name, grad_mode, regenerate
        )


class CSRLinear(_Layer):
    """The synapses of a sparse matrix: row ``i`` has ``indices[indptr[i]:indptr[i + 1]]``.

    `weight` is a scalar, or has one element for each of the `indices`; for spikes and derivatives
    see `Linear`.

    >>> import brainstate, jax.numpy as jnp
    >>> layer = brainstate.event.CSRLinear(3, 4, [0, 2, 2, 3], [0, 3, 1], jnp.array([1.0, 2, 3]))
    >>> layer(jnp.array([True, False, True]))
    Array([1., 3., 0., 2.], dtype=float32)
    """

    def __init__(
        self,
        n_pre: Size,
        n_post: Size,
        indptr: ArrayLike,
        indices: ArrayLike,
        weight: Callable | ArrayLike,
        name: str | None = None,
        grad_mode: str = "vjp",
    ):
        shape = neurons(n_pre, "n_pre"), neurons(n_post, "n_post")
        indptr, indices = as_indices("indptr", indptr), as_indices("indices", indices)
        connection = CSR(_weights(weight, indices.shape), indices, indptr, shape)
        super().__init__(connection, name, grad_mode)


def _by_role(connection: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields of a connection that hold arrays, and those that are part of its type."""
    arrays: dict[str, Any] = {}
    static: dict[str, Any] = {}
    for field in dataclasses.fields(connection):
        role = arrays if field.metadata.get("pytree_node", True) else static
        role[field.name] = getattr(connection, field.name)
    return arrays, static


def _weights(weight: Callable | ArrayLike, shape: tuple[int, ...]) -> Any:
    """One weight for each synapse, or a scalar for all."""
    scalar = not callable(weight) and jnp.ndim(split(weight)[0]) == 0
    return full_param(weight, () if scalar else shape)
