"""Plasticity: rules by which spikes before and behind a synapse change its weight."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from ... import environ
from ..._engine.names import describe
from ..._state import ShortTermState, State
from ..._units import attach, number_in
from ...init import ZeroInit
from ...typing import ArrayLike
from ..checks import check_batch, check_trailing
from ..dynamics.standard_parameters import StandardParameters
from ..dynamics.unit_arithmetic import add, numbers
from ..module import Module
from ..variable import Variable
from .plastic_weights import add_to_weight, bounds_in, check_plastic, pairs, spread, weight_of


class PlasticityRule(Module):
    """Base of rules that change the weights of a layer, which has one for each synapse.

    ``rule(pre, post)`` takes the spikes before and behind, bool or numbers. With batch axes, the
    weights change by the mean over these. They are kept between `w_min` and `w_max`, if given. The
    layer is dense, as `nn.Linear`, or one of `brainstate.event`. Subclasses define `change`.
    """

    def __init__(
        self,
        layer: Module,
        w_min: ArrayLike | None = None,
        w_max: ArrayLike | None = None,
        name: str | None = None,
    ):
        super().__init__(name=name)
        check_plastic(layer)
        bounds_in(weight_of(layer)[1], w_min, w_max)
        self.layer, self.w_min, self.w_max = layer, w_min, w_max
        self.in_size, self.out_size = layer.in_size, layer.out_size

    def change(self, pre: jax.Array, post: jax.Array) -> Any:
        """What these spikes add to the weights, by sample; a step of the rule's own States."""
        raise NotImplementedError(f"{type(self).__name__} must define change(). [BST-A14]")

    def update(self, pre: ArrayLike, post: ArrayLike) -> None:
        change = self.change(*self._spikes(pre, post))
        add_to_weight(self.layer, change, self.w_min, self.w_max)

    def _spikes(self, pre: ArrayLike, post: ArrayLike) -> tuple[jax.Array, jax.Array]:
        """The spikes as numbers, if they fit."""
        check_trailing(self, pre, self.in_size, "spikes before")  # type: ignore[arg-type]
        check_trailing(self, post, self.out_size, "spikes behind")  # type: ignore[arg-type]
        dtype, ndim = weight_of(self.layer)[0].dtype, len(self.in_size)  # type: ignore[arg-type]
        pre, post = jnp.asarray(pre, dtype), jnp.asarray(post, dtype)
        batches = pre.shape[: pre.ndim - ndim], post.shape[: post.ndim - ndim]
        if batches[0] != batches[1]:
            raise ValueError(
                f"{describe(self)} takes spikes with the same batch axes on both sides; found "
                f"{batches[0]} before and {batches[1]} behind. [BST-A04]"
            )
        return pre, post

    def _earlier(self, trace: State, tau: Any, spikes: jax.Array) -> jax.Array:
        """What earlier spikes left in a trace; these spikes are added for later."""
        ndim = len(self.in_size)  # type: ignore[arg-type]
        check_batch(self, spikes, ndim, trace.value, ndim)
        left = trace.value * _decay(tau)
        trace.value = left + spikes
        return left


class PairSTDP(PlasticityRule):
    """Spike-timing-dependent plasticity by pairs of spikes, all to all.

    A weight changes by ``A_plus e^(-s/tau_plus)`` for each two spikes of which the one behind the
    synapse is later by `s`, and by ``-A_minus e^(-s/tau_minus)`` for each two of which the one
    before is later; two in the same step do not count. Left out, both times are 20 ms. The
    amplitudes have the unit of the weight; the standard ones are for weights up to 1.
    (Song, Miller & Abbott 2000, Nature Neuroscience)

    >>> import brainstate, jax.numpy as jnp
    >>> layer = brainstate.event.Linear(1, 1, jnp.full((1, 1), 0.5))
    >>> rule = brainstate.nn.PairSTDP(layer, tau_plus=20.0, tau_minus=20.0, w_min=0.0, w_max=1.0)
    >>> rule = brainstate.nn.init_all_states(rule)
    >>> with brainstate.environ.context(dt=1.0):
    ...     rule(jnp.ones(1), jnp.zeros(1))
    ...     rule(jnp.zeros(1), jnp.ones(1))
    >>> round(layer.weight.value.item(), 5)  # 0.5 + 0.005 exp(-1/20)
    0.50476
    """

    def __init__(
        self,
        layer: Module,
        A_plus: ArrayLike = 0.005,
        A_minus: ArrayLike = 0.00525,
        tau_plus: ArrayLike | None = None,
        tau_minus: ArrayLike | None = None,
        w_min: ArrayLike | None = None,
        w_max: ArrayLike | None = None,
        name: str | None = None,
    ):
        super().__init__(layer, w_min=w_min, w_max=w_max, name=name)
        numbers(weight_of(layer)[1], A_plus=A_plus, A_minus=A_minus)
        self.A_plus, self.A_minus = A_plus, A_minus
        times = StandardParameters((), tau_plus=tau_plus, tau_minus=tau_minus)
        self.tau_plus = times.read("tau_plus", 20.0, "ms")
        self.tau_minus = times.read("tau_minus", 20.0, "ms")

    pre_trace: ShortTermState
    post_trace: ShortTermState

    def variables(self) -> dict[str, Variable]:
        return {"pre_trace": _trace(self.in_size), "post_trace": _trace(self.out_size)}

    def change(self, pre: jax.Array, post: jax.Array) -> Any:
        unit = weight_of(self.layer)[1]
        plus, minus = numbers(unit, A_plus=self.A_plus, A_minus=self.A_minus)
        earlier_pre = self._earlier(self.pre_trace, self.tau_plus, pre)
        earlier_post = self._earlier(self.post_trace, self.tau_minus, post)
        grown = pairs(self.layer, earlier_pre, plus * post)
        return attach(grown - pairs(self.layer, minus * pre, earlier_post), unit)


class TripletSTDP(PlasticityRule):
    """Spike-timing-dependent plasticity by pairs and triplets of spikes, all to all.

    With traces `r1` and `r2` of the spikes before the synapse, of the times `tau_plus` and `tau_x`,
    and `o1` and `o2` of those behind, of `tau_minus` and `tau_y`, a weight changes by ``r1
    (A2_plus + A3_plus o2)`` at a spike behind, and by ``-o1 (A2_minus + A3_minus r2)`` at one
    before; the traces are those that earlier steps left. The standard values are those of visual
    cortex. (Pfister & Gerstner 2006, Journal of Neuroscience, table 4)

    >>> import brainstate
    >>> rule = brainstate.nn.TripletSTDP(brainstate.nn.Linear(2, 3), w_min=0.0)
    >>> sorted(brainstate.nn.init_all_states(rule).states(brainstate.ShortTermState))
    [('o1',), ('o2',), ('r1',), ('r2',)]
    """

    def __init__(
        self,
        layer: Module,
        A2_plus: ArrayLike = 5e-10,
        A2_minus: ArrayLike = 7e-3,
        A3_plus: ArrayLike = 6.2e-3,
        A3_minus: ArrayLike = 2.3e-4,
        tau_plus: ArrayLike | None = None,
        tau_minus: ArrayLike | None = None,
        tau_x: ArrayLike | None = None,
        tau_y: ArrayLike | None = None,
        w_min: ArrayLike | None = None,
        w_max: ArrayLike | None = None,
        name: str | None = None,
    ):
        super().__init__(layer, w_min=w_min, w_max=w_max, name=name)
        self.A2_plus, self.A2_minus = A2_plus, A2_minus
        self.A3_plus, self.A3_minus = A3_plus, A3_minus
        self._amplitudes(weight_of(layer)[1])
        times = StandardParameters(
            (), tau_plus=tau_plus, tau_minus=tau_minus, tau_x=tau_x, tau_y=tau_y
        )
        self.tau_plus = times.read("tau_plus", 16.8, "ms")
        self.tau_minus = times.read("tau_minus", 33.7, "ms")
        self.tau_x = times.read("tau_x", 101.0, "ms")
        self.tau_y = times.read("tau_y", 125.0, "ms")

    r1: ShortTermState
    r2: ShortTermState
    o1: ShortTermState
    o2: ShortTermState

    def variables(self) -> dict[str, Variable]:
        before, behind = _trace(self.in_size), _trace(self.out_size)
        return {"r1": before, "r2": before, "o1": behind, "o2": behind}

    def change(self, pre: jax.Array, post: jax.Array) -> Any:
        unit = weight_of(self.layer)[1]
        a2_plus, a2_minus, a3_plus, a3_minus = self._amplitudes(unit)
        r1 = self._earlier(self.r1, self.tau_plus, pre)
        r2 = self._earlier(self.r2, self.tau_x, pre)
        o1 = self._earlier(self.o1, self.tau_minus, post)
        o2 = self._earlier(self.o2, self.tau_y, post)
        grown = pairs(self.layer, r1, post * (a2_plus + a3_plus * o2))
        return attach(grown - pairs(self.layer, pre * (a2_minus + a3_minus * r2), o1), unit)

    def _amplitudes(self, unit: Any) -> list:
        return numbers(
            unit, A2_plus=self.A2_plus, A2_minus=self.A2_minus,
            A3_plus=self.A3_plus, A3_minus=self.A3_minus,
        )  # fmt: skip


class ThreeFactor(PlasticityRule):
    """A rule whose changes take effect once a third factor, such as reward, arrives.

    What `rule` would add to a weight goes into its eligibility `e`, which decays with `tau_e`; and
    ``three_factor(pre, post, modulator)`` adds ``modulator · e`` to the weight. The modulator is
    the third factor's integral over the step: a number, one for each sample, or one for each
    neuron behind the synapses. Left out, tau_e is 1000 ms.
    (Frémaux & Gerstner 2016, Frontiers in Neural Circuits)

    >>> import brainstate, jax.numpy as jnp
    >>> layer = brainstate.event.Linear(1, 1, jnp.full((1, 1), 0.5))
    >>> stdp = brainstate.nn.PairSTDP(layer, tau_plus=20.0, tau_minus=20.0)
    >>> rule = brainstate.nn.init_all_states(brainstate.nn.ThreeFactor(stdp, tau_e=500.0))
    >>> spike, none = jnp.ones(1), jnp.zeros(1)
    >>> with brainstate.environ.context(dt=1.0):
    ...     for pre, post, reward in [(spike, none, 0), (none, spike, 0), (none, none, 1)]:
    ...         rule(pre, post, reward)
    >>> round(layer.weight.value.item(), 5)  # 0.5 + 0.005 exp(-1/20) exp(-1/500)
    0.50475
    """

    def __init__(
        self, rule: PlasticityRule, tau_e: ArrayLike | None = None, name: str | None = None
    ):
        super().__init__(rule.layer, w_min=rule.w_min, w_max=rule.w_max, name=name)
        self.rule = rule
        self.tau_e = StandardParameters((), tau_e=tau_e).read("tau_e", 1000.0, "ms")

    e: ShortTermState

    def variables(self) -> dict[str, Variable]:
        weight, unit = weight_of(self.layer)
        shape = (*self.in_size[:-1], *weight.shape)  # type: ignore[index]
        return {"e": Variable(ZeroInit(unit), shape, ShortTermState)}

    def change(self, pre: jax.Array, post: jax.Array) -> Any:
        """What is added to the weights for each unit of the modulator."""
        change = self.rule.change(pre, post)
        self.e.value = add(self.e.value * _decay(self.tau_e), change)
        return self.e.value

    def update(self, pre: ArrayLike, post: ArrayLike, modulator: ArrayLike) -> None:  # type: ignore[override]
        spikes = self._spikes(pre, post)
        factor = self._for_each_synapse(modulator, spikes[1])
        add_to_weight(self.layer, self.change(*spikes) * factor, self.w_min, self.w_max)

    def _for_each_synapse(self, modulator: ArrayLike, post: jax.Array) -> jax.Array:
        factor = jnp.asarray(number_in(modulator, None, "modulator"), post.dtype)
        batch = post.shape[: post.ndim - len(self.out_size)]  # type: ignore[arg-type]
        if factor.shape == post.shape:
            return spread(self.layer, jnp.zeros(self.in_size), factor)[1]
        if factor.shape not in ((), batch):
            raise ValueError(
                f"`modulator` is a number, or of shape {batch} or {post.shape}, which are those of "
                f"the samples and of the spikes behind; found {factor.shape}. [BST-A04]"
            )
        return factor.reshape(*factor.shape, *(1,) * (self.e.value.ndim - factor.ndim))


def _trace(size: tuple[int, ...] | None) -> Variable:
    return Variable(ZeroInit(), size, ShortTermState)  # type: ignore[arg-type]


def _decay(tau: Any) -> jax.Array:
    """By what a trace shrinks in one step."""
    return jnp.exp(-number_in(environ.get_dt() / tau, None, "dt / tau"))
