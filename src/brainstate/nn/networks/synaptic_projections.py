"""Projections that add currents and jumps to the inputs of a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..._engine.names import describe
from ...graph import Node
from ...mixin import AlignPost, ParamDescriber
from ..dynamics.base import Dynamics
from ..synapses.synaptic_outputs import SynOut
from .alike import alike
from .prefetch import Prefetch, PrefetchDelayAt
from .projection import Interaction


class AlignPostProj(Interaction):
    """Synapses with one set of variables for each neuron of `post`.

    ``modules → comm → syn → out → current inputs of post``. Given descriptions of `syn` and `out`,
    all projections to `post` with equal ones share a pair, which `post` updates itself before each
    of its updates. Given objects, they belong to this projection. Either way, call the projection
    before `post`; the numbers are the same.

    >>> import brainstate, brainunit as u, jax.numpy as jnp
    >>> nn = brainstate.nn
    >>> post = nn.LIF(2)
    >>> proj = nn.AlignPostProj(
    ...     comm=lambda spikes: spikes * u.mS, syn=nn.Expon.desc(2), out=nn.CUBA.desc(), post=post
    ... )
    >>> post = nn.init_all_states(post)
    >>> with brainstate.environ.context(dt=0.1 * u.ms):
    ...     proj(jnp.ones(2))
    ...     spikes = post()
    >>> proj.syn.g.value
    Quantity([1. 1.], "mS")
    """

    def __init__(
        self,
        *modules: Any,
        comm: Callable,
        syn: ParamDescriber | AlignPost,
        out: ParamDescriber | SynOut,
        post: Dynamics,
    ):
        super().__init__(modules, comm, post)
        self.merging = isinstance(syn, ParamDescriber)
        if not isinstance(syn, ParamDescriber[AlignPost] if self.merging else AlignPost):
            raise TypeError(
                f"`syn` must be an AlignPost synapse or describe one; found {syn!r}. [BST-A01]"
            )
        if not isinstance(out, ParamDescriber[SynOut] if self.merging else SynOut):
            wanted = "a description (Class.desc(...)) of a SynOut" if self.merging else "a SynOut"
            raise TypeError(f"With `syn` {syn!r}, `out` must be {wanted}; found {out!r}. [BST-A01]")
        if self.merging:
            shared = _shared_pair(syn, out, post, self.key)  # type: ignore[arg-type]
            syn, out = shared.syn, shared.out
        else:
            _give_current(post, self.key, out)
        self.syn: Any = syn
        self.out: Any = out

    def update(self, *args: Any) -> None:
        self.syn.add_delta_input(self.key, self.arriving(*args))
        if not self.merging:
            self.out.bind_cond(self.syn())


class DeltaProj(Interaction):
    """Jumps of the variable of `post`: ``modules → comm → delta inputs of post``.

    >>> import brainstate, brainunit as u, jax.numpy as jnp
    >>> post = brainstate.nn.init_all_states(brainstate.nn.LIF(2))
    >>> proj = brainstate.nn.DeltaProj(comm=lambda spikes: spikes * 0.5 * u.mV, post=post)
    >>> with brainstate.environ.context(dt=0.1 * u.ms):
    ...     proj(jnp.ones(2))
    ...     spikes = post()
    >>> post.V.value
    Quantity([0.5 0.5], "mV")
    """

    def __init__(self, *modules: Any, comm: Callable, post: Dynamics, label: str | None = None):
        super().__init__(modules, comm, post)
        self.label = label

    def update(self, *args: Any) -> None:
        self.post.add_delta_input(self.key, self.arriving(*args), label=self.label)


class CurrentProj(Interaction):
    """A current from what `prefetch` gives: ``prefetch → comm → out → current inputs of post``.

    >>> import brainstate, brainunit as u
    >>> nn = brainstate.nn
    >>> pre, post = nn.init_all_states([nn.LIF(1, V_initializer=2.0 * u.mV), nn.LIF(1)])
    >>> proj = nn.CurrentProj(
    ...     pre.prefetch("V"), comm=lambda V: V * u.mS, out=nn.CUBA(scale=50.0), post=post
    ... )
    >>> with brainstate.environ.context(dt=0.1 * u.ms):
    ...     proj()
    ...     spikes = post()
    >>> round(post.V.value.to_decimal(u.mV).item(), 5)
    0.00198
    """

    def __init__(
        self, prefetch: Prefetch | PrefetchDelayAt, comm: Callable, out: SynOut, post: Dynamics
    ):
        if not isinstance(prefetch, (Prefetch, PrefetchDelayAt)):
            raise TypeError(
                "`prefetch` must be a value of a model, such as `neuron.prefetch('V')` or "
                f"`neuron.prefetch_delay('V', time)`; found {prefetch!r}. [BST-A01]"
            )
        if not isinstance(out, SynOut):
            raise TypeError(f"`out` must be a SynOut; found {out!r}. [BST-A01]")
        super().__init__((prefetch,), comm, post)
        _give_current(post, self.key, out)
        self.prefetch, self.out = prefetch, out

    def update(self, *args: Any) -> None:
        self.out.bind_cond(self.sent(*args))


class _SharedPair(Node):
    """A synapse and its output, which a model updates before each of its updates."""

    def __init__(self, described: tuple[ParamDescriber, ParamDescriber]):
        self._described = described
        self.syn, self.out = (description() for description in described)

    def __call__(self) -> None:
        self.out.bind_cond(self.syn())


def _shared_pair(syn: ParamDescriber, out: ParamDescriber, post: Dynamics, key: str) -> _SharedPair:
    """The pair of `post` with these descriptions; made by the first who asks for it."""
    for hook in post.before_updates.values():
        if isinstance(hook, _SharedPair) and alike(hook._described, (syn, out)):
            return hook
    pair = _SharedPair((syn, out))
    kinds = f"{syn.cls.__name__}-{out.cls.__name__}"
    keys = (kinds if k == 0 else f"{kinds}-{k}" for k in range(len(post.before_updates) + 1))
    post.add_before_update(next(k for k in keys if not post.has_before_update(k)), pair)
    _give_current(post, key, pair.out)
    return pair


def _give_current(post: Dynamics, key: str, out: Any) -> None:
    if any(known is out for known in post.current_inputs.values()):
        raise ValueError(
            f"{describe(out)} gives a current to {describe(post)} already; a SynOut holds one "
            "conductance, so make one for each projection, or give a description of it. [BST-P07]"
        )
    post.add_current_input(key, out)
