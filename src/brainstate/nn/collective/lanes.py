"""`Vmap` and `Map`: a module run once for each lane."""

from __future__ import annotations

from typing import Any

from ..._state import ShortTermState
from ...augment import vmap
from ...graph import states
from ...typing import Filter
from ..module import Module
from .all_states import vmap_init_all_states, vmap_reset_all_states


class Vmap(Module):
    """`brainstate.augment.vmap` of a module, as a module.

    The States that the filter `vmap_states` matches have a leading axis of lanes; all others, such
    as weights, are shared. `vmap_out_states`, if it differs, tells which have that axis afterwards.
    The other options are those of `vmap`.

    >>> import brainstate, jax.numpy as jnp
    >>> table = brainstate.nn.Vmap(brainstate.nn.Linear(2, 3), in_axes=1, out_axes=1)
    >>> table(jnp.ones((2, 5))).shape
    (3, 5)
    """

    def __init__(
        self,
        module: Module,
        in_axes: Any = 0,
        out_axes: Any = 0,
        vmap_states: Filter = None,
        vmap_out_states: Filter = None,
        axis_name: Any = None,
        axis_size: int | None = None,
        name: str | None = None,
    ):
        super().__init__(name)
        if not isinstance(module, Module):
            raise TypeError(f"{type(self).__name__} maps a module; found {module!r}. [BST-A01]")
        self.module = module
        self.in_size, self.out_size = module.in_size, module.out_size
        self.in_axes, self.out_axes = in_axes, out_axes
        self.vmap_states = vmap_states
        self.vmap_out_states = vmap_states if vmap_out_states is None else vmap_out_states
        self.axis_name, self.axis_size = axis_name, axis_size

    def update(self, *args: Any, **kwargs: Any) -> Any:
        mapped = vmap(
            self.module,
            in_axes=self.in_axes,
            out_axes=self.out_axes,
            in_states=states(self.module, self.vmap_states),
            out_states=states(self.module, self.vmap_out_states),
            axis_name=self.axis_name,
            axis_size=self.axis_size,
        )
        return mapped(*args, **kwargs)


class Map(Vmap):
    """A module for `init_map_size` lanes, each with States of its own and the weights in common.

    `init_all_states` initialises the module once for each lane, so that the lanes differ where
    initial values are random. The States of the lanes are the `ShortTermState`s, or, with an
    `init_state_tag`, the States created then, which get that tag.

    >>> import brainstate, jax.numpy as jnp
    >>> cells = brainstate.nn.init_all_states(brainstate.nn.Map(brainstate.nn.LIF(3), 2))
    >>> cells.module.V.value.shape
    (2, 3)
    """

    called_on_parts = ("init_state", "reset_state")

    def __init__(
        self,
        module: Module,
        init_map_size: int,
        init_state_tag: str | None = None,
        in_axes: Any = 0,
        out_axes: Any = 0,
        axis_name: Any = None,
        name: str | None = None,
    ):
        lanes = ShortTermState if init_state_tag is None else init_state_tag
        super().__init__(
            module,
            in_axes,
            out_axes,
            lanes,
            axis_name=axis_name,
            axis_size=init_map_size,
            name=name,
        )
        self.init_map_size, self.init_state_tag = init_map_size, init_state_tag

    def init_state(self, batch_size: int | None = None, **kwargs: Any) -> None:
        vmap_init_all_states(
            self.module, batch_size, axis_size=self.init_map_size, state_tag=self.init_state_tag,
            **kwargs,
        )  # fmt: skip

    def reset_state(self, batch_size: int | None = None, **kwargs: Any) -> None:
        vmap_reset_all_states(
            self.module, batch_size, axis_size=self.init_map_size, state_tag=self.init_state_tag,
            **kwargs,
        )  # fmt: skip
