"""`Trace`, `Mean`, `Sum` and `SpikeTimes`: what a loop keeps of its steps."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from .._engine.jax_api import is_tracer
from .._state import State
from .._units import is_quantity
from .loop_types import show_type
from .spikes import Spikes, pack


class Index:
    """What stands between the brackets of an array, as a value that can be compared."""

    def __init__(self, index: Any):
        parts = index if isinstance(index, tuple) else (index,)
        self.parts = tuple(map(_as_part, parts))
        self._key = tuple(map(_key_of, self.parts))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Index) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        shown = ", ".join(repr(p.tolist() if isinstance(p, np.ndarray) else p) for p in self.parts)
        return shown if len(shown) < 60 else shown[:57] + "..."


def _as_part(part: Any) -> Any:
    if is_tracer(part):
        raise TypeError(
            "The index of a recorder must be known when the loop is compiled; this one is computed "
            "inside a transformation. Give an integer, a slice, a list or a NumPy array. [BST-L09]"
        )
    if part is None or isinstance(part, (slice, type(Ellipsis), int)):
        return part
    array = np.asarray(part)
    return array.astype(int) if array.size == 0 and array.dtype.kind == "f" else array


def _key_of(part: Any) -> Any:
    if isinstance(part, slice):
        return "slice", part.start, part.stop, part.step
    if isinstance(part, np.ndarray):
        return part.dtype.str, part.shape, part.tobytes()
    return type(part), part


@dataclasses.dataclass(frozen=True)
class Recorder:
    """What all recorders share: a source, looked at after each step, and a choice of elements."""

    source: Any
    index: Any = None
    folds: ClassVar[bool] = False  # combines the steps of a window, instead of taking the last one

    def __post_init__(self) -> None:
        if not (isinstance(self.source, State) or callable(self.source)):
            raise TypeError(
                f"{type(self).__name__} records a State or a function without arguments; found "
                f"{self.source!r}. [BST-A01]"
            )
        if self.index is not None:
            object.__setattr__(self, "index", Index(self.index))

    @property
    def window(self) -> int | None:
        """Steps for each entry; None: one entry for the whole loop."""
        return 1

    def unbound(self) -> Recorder:
        """The same without its source: a value that can be compared."""
        twin = object.__new__(type(self))
        vars(twin).update(vars(self), source=None)
        return twin

    def check(self, name: str, kind: Any) -> None:
        """Whether values of this type can be recorded; `name` is how an error calls them."""
        leaves = jax.tree.leaves(kind)
        if not leaves:
            raise TypeError(f"{name} gives nothing to record: its value holds no array. [BST-A06]")
        for leaf in leaves if self.index is not None else ():
            try:
                np.broadcast_to(np.int8(0), leaf.shape)[self.index.parts]
            except IndexError as error:
                raise IndexError(
                    f"{name}: index {self.index} does not fit {show_type(leaf)}: {error}. [BST-A02]"
                ) from None

    def select(self, value: Any) -> Any:
        """What is kept of one value."""
        if self.index is None:
            return value
        return jax.tree.map(lambda x: jnp.asarray(x)[self.index.parts], value)

    def start(self, kind: Any) -> Any:
        """What combining starts from, for selected values of this type."""

    def fold(self, kept: Any, value: Any) -> Any:
        """Take one more value."""
        return value

    def finish(self, kept: Any, count: int, kind: Any) -> Any:
        """The entry for `count` values."""
        return kept

    def thin(self, windows: Any) -> Any:
        """Coarser entries; the axes are (coarse entry, fine ones in it in the order of time)."""
        return windows[:, -1]

    def wrap(self, entries: Any, kind: Any) -> Any:
        """What the user gets, from the stacked entries and the type of the source's value."""
        return entries


@dataclasses.dataclass(frozen=True)
class Trace(Recorder):
    """The value after every `stride` steps: entries belong to ``ts[stride - 1 :: stride]``.

    `index` chooses elements as in ``value[index]``: an integer, slice, array, mask, or a tuple.

    >>> import brainstate, jax.numpy as jnp
    >>> v = brainstate.State(jnp.zeros(3))
    >>> def step(t):
    ...     v.value += t
    >>> record = {"v": brainstate.compile.Trace(v, stride=2, index=[0])}
    >>> _, recorded = brainstate.compile.for_loop(step, jnp.arange(6.0), record=record)
    >>> recorded["v"].tolist()  # after steps 1, 3 and 5
    [[1.0], [6.0], [15.0]]
    """

    stride: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "stride", _as_stride(self, self.stride))

    @property
    def window(self) -> int:
        return self.stride


@dataclasses.dataclass(frozen=True)
class Sum(Recorder):
    """The sum over all steps; with `stride`, one over each window of so many steps.

    Windows that the loop does not fill are left out. Numbers of 16 bits are added in 32, booleans
    as integers.

    >>> import brainstate, jax.numpy as jnp
    >>> v = brainstate.State(0.0)
    >>> def step(t):
    ...     v.value = t
    >>> record = (brainstate.compile.Sum(v), brainstate.compile.Mean(v, stride=2))
    >>> _, (total, means) = brainstate.compile.for_loop(step, jnp.arange(4.0), record=record)
    >>> total.item(), means.tolist()
    (6.0, [0.5, 2.5])
    """

    stride: int | None = None
    folds: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.stride is not None:
            object.__setattr__(self, "stride", _as_stride(self, self.stride))

    @property
    def window(self) -> int | None:
        return self.stride

    def start(self, kind: Any) -> Any:
        return jax.tree.map(lambda x: jnp.zeros(x.shape, _wide(x.dtype)), kind)

    def fold(self, kept: Any, value: Any) -> Any:
        return jax.tree.map(lambda k, x: k + jnp.asarray(x).astype(k.dtype), kept, value)

    def thin(self, windows: Any) -> Any:
        return jnp.sum(windows, axis=1)


@dataclasses.dataclass(frozen=True)
class Mean(Sum):
    """The mean over all steps; with `stride`, one over each window of so many steps, as `Sum`."""

    def finish(self, kept: Any, count: int, kind: Any) -> Any:
        def one(total: Any, leaf: Any) -> Any:
            inexact = jnp.issubdtype(leaf.dtype, jnp.inexact)
            dtype = leaf.dtype if inexact else jnp.result_type(float)
            wide = jnp.promote_types(total.dtype, dtype) if inexact else dtype
            return (total.astype(wide) / count if count else total * jnp.nan).astype(dtype)

        return jax.tree.map(one, kept, kind)

    def thin(self, windows: Any) -> Any:
        return jnp.mean(windows, axis=1)


@dataclasses.dataclass(frozen=True)
class SpikeTimes(Recorder):
    """All spikes, at one bit for each neuron and step: see `Spikes`.

    The source is an array in which a spike is True, or a number other than zero.
    """

    def check(self, name: str, kind: Any) -> None:
        super().check(name, kind)
        if is_quantity(kind) or not jax.tree_util.all_leaves([kind]):
            raise TypeError(
                f"{name}: SpikeTimes needs one plain array, with spikes that are not zero; found "
                f"{show_type(kind)}. [BST-A01]"
            )

    def finish(self, kept: Any, count: int, kind: Any) -> Any:
        return pack(kept)

    def wrap(self, entries: Any, kind: Any) -> Any:
        return Spikes(entries, tuple(jax.eval_shape(self.select, kind).shape))


def _wide(dtype: Any) -> Any:
    if jnp.issubdtype(dtype, jnp.bool_):
        return jnp.int32
    return jnp.promote_types(dtype, jnp.float32) if jnp.issubdtype(dtype, jnp.floating) else dtype


def _as_stride(recorder: Recorder, stride: Any) -> int:
    try:
        count = operator.index(stride)
    except TypeError:
        count = 0
    if count < 1 or isinstance(stride, bool):
        raise ValueError(
            f"{type(recorder).__name__} needs an integer of 1 or more as stride; found {stride!r}. "
            "[BST-A02]"
        )
    return count


def as_recorder(source: Any) -> Recorder:
    """A bare State or function is traced."""
    return source if isinstance(source, Recorder) else Trace(source)


def look_at(source: Any) -> Callable[[], Any]:
    """The function that reads a source."""
    return (lambda: source.value) if isinstance(source, State) else source
