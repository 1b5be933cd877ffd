"""`Variable`: the declaration of a State of a run, from which it is created and reset."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .._state import HiddenState, State
from ..init.parameters import full_param
from ..typing import ArrayLike, DTypeLike


class Variable(NamedTuple):
    """A State that `Module.init_state` creates, of this shape behind the batch axis.

    `Module.reset_state` sets it back if `kind` is a `ShortTermState`, else leaves it alone. Numbers
    are floating-point, as wide as `environ` says, unless there is a `dtype`.

    >>> from brainstate.init import Constant
    >>> Variable(Constant(2.0), (3,)).initial_value(batch_size=2).shape
    (2, 3)
    """

    initializer: Callable | ArrayLike
    shape: tuple[int, ...]
    kind: type[State] = HiddenState
    dtype: DTypeLike | None = None

    def initial_value(self, batch_size: int | None = None) -> Any:
        """The first value, with a batch axis in front if there is a `batch_size`."""
        batch = () if batch_size is None else (batch_size,)
        value = full_param(self.initializer, (*batch, *self.shape))
        return value if self.dtype is None else value.astype(self.dtype)
