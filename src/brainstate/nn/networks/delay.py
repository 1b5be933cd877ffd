"""`Delay`: what a value was some time ago."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from ... import environ
from ..._engine.jax_api import is_tracer
from ..._engine.names import describe
from ..._errors import BadKeyError
from ..._state import ShortTermState, State
from ...compile import jit_error_if
from ...graph import Node
from ...typing import ArrayLike, PyTree
from ..collective.call_order import call_order
from ..dynamics.unit_arithmetic import subtract
from ..module import Module
from .delay_buffer import blank, length_of, push_first, push_in_ring
from .delay_reading import Reading
from .delay_steps import TOLERANCE, checked_steps, longer, ratio_to_dt, steps_in, warn_of_rounding
from .interpolation import INTERPOLATIONS

_METHODS = ("rotation", "concat")


class _OfRun(NamedTuple):
    """Declares a State as `Variable` does, for a pytree."""

    initial_value: Callable[[int | None], Any]
    kind: type[State] = ShortTermState


class Delay(Module):
    """The last values of a pytree of arrays; ``delay(current)`` takes in the next one.

    `target_info` is such a pytree, without batch axes. `time` and `entries`, which name times, say
    how far back to remember; one that is no multiple of `dt` is rounded up, with a warning. A time
    may be an array: one for each element of the value (each neuron), or, with index arrays, one for
    each element that they choose (each synapse). Indices count behind the batch axis. The first
    values are 0, or what `init` gives for the shape ``(max_length, [batch], ...)``.

    Where `environ` has a step index `i`, `k` steps ago is the value given in step ``i - k``, also
    before that of step `i` is given. Without `i`, and for the method "concat", it is `k` values
    before the last one. "rotation" writes into a ring, "concat" moves all values at each step.

    `interpolation` (nearest, linear, cubic, hermite) is for times between two values; given by that
    name, it serves entries too. With `update_every`, only values so far apart in time are kept.

    >>> import brainstate, jax.numpy as jnp
    >>> delay = brainstate.nn.Delay(jnp.zeros(2), entries={"late": 0.3})
    >>> with brainstate.environ.context(dt=0.1):
    ...     delay = brainstate.nn.init_all_states(delay)
    ...     for x in range(6):
    ...         delay(jnp.array([x, 10.0 * x]))
    ...     delay.at("late"), delay.retrieve_at_step(jnp.array([1, 2]))
    (Array([ 2., 20.], dtype=float32), Array([ 4., 30.], dtype=float32))
    """

    def __init__(
        self,
        target_info: PyTree,
        time: ArrayLike | None = None,
        init: ArrayLike | Callable | None = None,
        entries: Mapping[str, ArrayLike | None] | None = None,
        delay_method: str = "rotation",
        interp_method: str = "linear_interp",
        interpolation: str | None = None,
        update_every: ArrayLike | None = None,
    ):
        super().__init__()
        _one_of(_METHODS, "delay_method", delay_method)
        _one_of(INTERPOLATIONS, "interp_method", interp_method)
        if interpolation is not None:
            _one_of(INTERPOLATIONS, "interpolation", interpolation)
        self._set_target(target_info)
        self.delay_init, self.delay_method, self.update_every = init, delay_method, update_every
        self.interp_method = interpolation or interp_method
        self.interpolates_entries = interpolation is not None
        self._longest_time: Any = None
        self._steps_then: int | None = None  # of that time, by the `dt` when it was registered
        self._longest_step = 0
        self._entries: dict[str, tuple[Any, Any]] = {}
        self._batched = False
        self.register_delay(time)
        for entry, delay_time in (entries or {}).items():
            self.register_entry(entry, delay_time)

    def _set_target(self, target_info: PyTree) -> None:
        self.target_info = target_info

    # ------------------------------------------------------------------ how far back

    @property
    def max_time(self) -> Any:
        """How far one can look back."""
        return self._max_steps * environ.get_dt()

    @property
    def max_length(self) -> int:
        """How many values are kept."""
        samples = INTERPOLATIONS[self.interp_method].samples
        return max(-(-self._max_steps // self._stride) + 1, samples if samples > 2 else 1)

    @property
    def _max_steps(self) -> int:
        time = self._longest_time
        if time is None:
            return self._longest_step
        if self._steps_then is not None and environ.get(environ.DT, None) is None:
            return max(self._longest_step, self._steps_then)
        return max(self._longest_step, int(steps_in(time)))

    @property
    def _stride(self) -> int:
        return 1 if self.update_every is None else max(1, int(steps_in(self.update_every)))

    def register_delay(
        self, delay_time: ArrayLike | None = None, delay_step: ArrayLike | None = None
    ) -> None:
        """Remember so much at least; to be called before the States of a run are created."""
        if delay_time is not None and delay_step is not None:
            raise ValueError("Give either delay_time or delay_step; found both. [BST-A07]")
        if delay_time is not None:
            time = longer(self._longest_time, delay_time)
            if time is not self._longest_time:  # in a compiled step, an assignment would recompile
                self._longest_time = time
                known = environ.get(environ.DT, None) is not None
                self._steps_then = int(steps_in(time)) if known else None
        elif delay_step is not None:
            steps = int(np.max(checked_steps(delay_step)))
            if steps > self._longest_step:
                self._longest_step = steps

    def register_entry(
        self,
        entry: str,
        delay_time: ArrayLike | None = None,
        delay_step: ArrayLike | None = None,
    ) -> Delay:
        """Name a delay, 0 unless given; KeyError for a name that is taken."""
        if entry in self._entries:
            raise BadKeyError(
                f"{describe(self)} has an entry {entry!r}; choose another name. [BST-A11]"
            )
        self.register_delay(delay_time, delay_step)
        self._entries = {**self._entries, entry: (delay_time, delay_step)}
        return self

    # ------------------------------------------------------------------ States

    _history: ShortTermState
    _position: ShortTermState

    def variables(self) -> dict[str, Any]:
        return {"_history": _OfRun(self._first_history), "_position": _OfRun(self._first_position)}

    def _first_history(self, batch_size: int | None) -> Any:
        batch = () if batch_size is None else (batch_size,)
        return blank(self.target_info, self.max_length, self.delay_init, batch)

    def _first_position(self, batch_size: int | None) -> dict[str, Any]:
        """The newest value: its slot in the ring, updates since then, the last update's `i`."""
        first = {"slot": self.max_length - 1, "since": self._stride - 1, "step": -1}
        return {key: jnp.asarray(number, jnp.int32) for key, number in first.items()}

    @call_order(3)
    def init_state(self, batch_size: int | None = None, **kwargs: Any) -> None:
        self._batched = batch_size is not None
        super().init_state(batch_size, **kwargs)

    @call_order(3)
    def reset_state(self, batch_size: int | None = None, **kwargs: Any) -> None:
        self._batched = batch_size is not None
        super().reset_state(batch_size, **kwargs)

    @property
    def history(self) -> Any:
        """The values kept, along the leading axis."""
        return self._history.value

    @history.setter
    def history(self, value: Any) -> None:
        self._history.value = value

    # ------------------------------------------------------------------ writing and reading

    def update(self, current: PyTree) -> None:
        """Take in the value of this step; a second one in the same step `i` replaces it."""
        history, position = self.history, self._position.value
        step, stride, name = self._step(), self._stride, describe(self)
        is_next = True if step is None else position["step"] != step
        since = (position["since"] + is_next) % stride
        stored = stride == 1 or since == 0
        slot = (position["slot"] + (is_next & stored)) % length_of(history)
        if self.delay_method == "rotation":
            history = push_in_ring(history, current, slot, stored, name)
        else:
            history = push_first(history, current, stored, name)
        self._history.value = history
        new = {"slot": slot, "since": since, "step": -1 if step is None else step}
        self._position.value = {key: jnp.asarray(x, jnp.int32) for key, x in new.items()}

    def at(self, entry: str, *indices: Any) -> PyTree:
        """The value, or the elements of it that `indices` choose, as long ago as the entry says."""
        if entry not in self._entries:
            raise BadKeyError(
                f"{describe(self)} has no entry {entry!r}; found {[*self._entries]}. Name it "
                "by register_entry(entry, time) before the first step. [BST-P03]"
            )
        time, steps = self._entries[entry]
        return self.look_back(self.steps_back(time, steps), indices)

    def steps_back(self, delay_time: Any, delay_step: Any = None) -> Any:
        """The steps of a delay: whole, unless times between two values are interpolated."""
        if delay_time is None:
            return checked_steps(0 if delay_step is None else delay_step)
        if not self.interpolates_entries:
            warn_of_rounding(delay_time, self)
            return steps_in(delay_time)
        return ratio_to_dt(delay_time)

    def retrieve_at_step(self, delay_step: ArrayLike, *indices: Any) -> PyTree:
        """The value of so many steps ago, or the elements of it that `indices` choose."""
        return self.look_back(checked_steps(delay_step), indices)

    def retrieve_at_time(self, delay_time: ArrayLike, *indices: Any) -> PyTree:
        """The value at this point in time, by interpolation; `environ` must have the time `t`.

        It has derivatives in `delay_time`, unless the nearest value is taken.
        """
        ago = subtract(environ.get("t"), delay_time, "delay_time")
        return self.look_back(ratio_to_dt(ago), indices)

    def access(self, entry: str | None = None, time: Any = None, *indices: Any) -> DelayAccess:
        """Register an entry, and get an object that reads it."""
        return DelayAccess(self, time, entry or _free_name(self._entries), *indices)

    def look_back(self, back: Any, indices: tuple = ()) -> PyTree:
        """The value so many steps ago, whole or between two, or the elements at `indices`."""
        history, position, stride = self.history, self._position.value, self._stride
        length, ring = length_of(history), self.delay_method == "rotation"
        self._check(back, (length - 1) * stride)
        step = self._step()
        if step is not None:  # the value of this step may be still to come
            back = back - (position["step"] != step)
        if stride > 1:
            back = (back - position["since"]) / stride
        back = jnp.clip(back, 0, length - 1)
        newest = position["slot"] if ring else None
        method = INTERPOLATIONS[self.interp_method]
        return Reading(newest, back, indices, method).of(history, self._batched)

    def _step(self) -> Any:
        """The index of this step, if that matters here and is known."""
        step = environ.get("i", None) if self.delay_method == "rotation" else None
        return None if step is None else jnp.asarray(step).astype(jnp.int32)

    def _check(self, back: Any, most: int) -> None:
        """Refuse to look into the future, or further back than the history goes."""
        message = f"{describe(self)} goes back 0 to {most} steps; "
        remedy = "Give it a longer time, before the States are created by init_all_states(model)."
        if not is_tracer(back):
            back = np.asarray(back)
            if np.any(back < -TOLERANCE) or np.any(back > most + TOLERANCE):
                raise ValueError(f"{message}found {back}. {remedy} [BST-P04]")
        elif environ.get(environ.JIT_ERROR_CHECK, False):
            outside = (back < -TOLERANCE) | (back > most + TOLERANCE)
            jit_error_if(outside, message + "found {back}. " + remedy + " [BST-P04]", back=back)


class DelayAccess(Node):
    """Reads an entry of a delay: ``access.update()`` is ``delay.at(entry, *indices)``.

    >>> import brainstate, jax.numpy as jnp
    >>> delay = brainstate.nn.Delay(jnp.zeros(2))
    >>> with brainstate.environ.context(dt=0.1):
    ...     access = delay.access("late", 0.2)
    ...     brainstate.nn.init_all_states(delay).max_length, access.update()
    (3, Array([0., 0.], dtype=float32))
    """

    def __init__(self, delay: Delay, time: ArrayLike | None, delay_entry: str, *indices: Any):
        delay.register_entry(delay_entry, time)
        self.delay, self.delay_entry, self.indices = delay, delay_entry, indices

    def update(self) -> PyTree:
        """The delayed value."""
        return self.delay.at(self.delay_entry, *self.indices)

    def __call__(self, *args: Any, **kwargs: Any) -> PyTree:
        return self.update()


def _one_of(known: Iterable[str], name: str, found: str) -> None:
    if found not in known:
        raise ValueError(f"{name} must be one of {[*known]}; found {found!r}. [BST-A03]")


def _free_name(taken: Mapping[str, Any]) -> str:
    return next(f"entry{k}" for k in range(len(taken) + 1) if f"entry{k}" not in taken)
