"""Recurrent cells: one step of a recurrent network."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from ... import functional
from ..._state import HiddenState, ParamState
from ..._units import number_in
from ...init import Initializer, Orthogonal, Uniform, XavierNormal, ZeroInit
from ...init.sizes import needed_size
from ...typing import ArrayLike, DTypeLike, Size
from ..checks import check_batch, check_trailing
from ..module import Module
from ..variable import Variable
from .linear import Linear

_XAVIER, _ORTHOGONAL, _ZERO = XavierNormal(), Orthogonal(), ZeroInit()


class RNNCell(Module):
    """Base of recurrent cells: a call takes one input, steps the hidden States and returns `h`.

    >>> import brainstate, jax.numpy as jnp
    >>> cell = brainstate.nn.init_all_states(brainstate.nn.GRUCell(2, 3), batch_size=4)
    >>> brainstate.transform.for_loop(cell, jnp.ones((10, 4, 2))).shape
    (10, 4, 3)
    """


class _Cell(RNNCell):
    """A cell whose layers see ``[x, h]``, the input and the hidden state side by side."""

    _hidden: tuple[str, ...] = ("h",)
    h: HiddenState

    def __init__(
        self,
        num_in: Size,
        num_out: Size,
        state_init: Callable | ArrayLike,
        activation: str | Callable,
        name: str | None,
    ):
        super().__init__(name=name)
        self._shapes = needed_size(num_in, "num_in"), needed_size(num_out, "num_out")
        self.in_size, self.out_size = self._shapes
        self.state_init = state_init
        self.activation = _function(activation)

    def variables(self) -> dict[str, Variable]:
        return {name: Variable(self.state_init, self._shapes[1]) for name in self._hidden}

    def update(self, x: ArrayLike) -> jax.Array:
        states = [getattr(self, name) for name in self._hidden]
        hidden = [number_in(state.value, None, "state_init") for state in states]
        x = jnp.asarray(number_in(x, None, "x"))
        check_trailing(self, x, self._shapes[0])
        check_batch(self, x, len(self._shapes[0]), hidden[0], len(self._shapes[1]))
        for state, old, new in zip(states, hidden, self._step(x, *hidden), strict=True):
            state.value = new.astype(old.dtype)
        return self.h.value

    def _step(self, x: jax.Array, *hidden: jax.Array) -> tuple[jax.Array, ...]:
        """The new values of the hidden States."""
        raise NotImplementedError(f"{type(self).__name__} must define _step(). [BST-A14]")

    def _layer(
        self, count: int, w_init: Callable | ArrayLike, b_init: Callable | ArrayLike | None
    ) -> Linear:
        """A layer on ``[x, h]`` with `count` outputs for each unit."""
        num_in, num_out = (shape[-1] for shape in self._shapes)
        return Linear(num_in + num_out, count * num_out, w_init=w_init, b_init=b_init)


class ValinaRNNCell(_Cell):
    """The simple recurrent network: ``h = φ(W [x, h])``.

    `activation` is `φ`: a function, or the name of one in `brainstate.functional`. Elman (1990),
    Finding structure in time, Cognitive Science.

    >>> import brainstate, jax.numpy as jnp
    >>> cell = brainstate.nn.init_all_states(brainstate.nn.ValinaRNNCell(2, 3, w_init=1.0))
    >>> cell(jnp.ones(2)), cell(jnp.ones(2))
    (Array([2., 2., 2.], dtype=float32), Array([8., 8., 8.], dtype=float32))
    """

    def __init__(
        self,
        num_in: Size,
        num_out: Size,
        state_init: Callable | ArrayLike = _ZERO,
        w_init: Callable | ArrayLike = _XAVIER,
        b_init: Callable | ArrayLike | None = _ZERO,
        activation: str | Callable = "relu",
        name: str | None = None,
    ):
        super().__init__(num_in, num_out, state_init, activation, name)
        self.W = self._layer(1, w_init, b_init)

    def _step(self, x: jax.Array, *hidden: jax.Array) -> tuple[jax.Array, ...]:
        (h,) = hidden
        return (self.activation(self.W(_joined(x, h))),)


class GRUCell(_Cell):
    """The gated recurrent unit.

    ``r, z = σ(W_rz [x, h])``, ``ĥ = φ(W_h [x, r h])`` and ``h = (1 - z) h + z ĥ``, where `φ` is
    the `activation`. Cho et al. (2014), Learning phrase representations using RNN encoder-decoder
    for statistical machine translation, EMNLP.

    >>> import brainstate, jax.numpy as jnp
    >>> cell = brainstate.nn.init_all_states(brainstate.nn.GRUCell(2, 3))
    >>> cell(jnp.ones(2)).shape
    (3,)
    """

    def __init__(
        self,
        num_in: Size,
        num_out: Size,
        w_init: Callable | ArrayLike = _ORTHOGONAL,
        b_init: Callable | ArrayLike | None = _ZERO,
        state_init: Callable | ArrayLike = _ZERO,
        activation: str | Callable = "tanh",
        name: str | None = None,
    ):
        super().__init__(num_in, num_out, state_init, activation, name)
        self.Wrz = self._layer(2, w_init, b_init)
        self.Wh = self._layer(1, w_init, b_init)

    def _step(self, x: jax.Array, *hidden: jax.Array) -> tuple[jax.Array, ...]:
        (h,) = hidden
        r, z = jnp.split(jax.nn.sigmoid(self.Wrz(_joined(x, h))), 2, axis=-1)
        new = self.activation(self.Wh(_joined(x, r * h)))
        return ((1 - z) * h + z * new,)


class MGUCell(_Cell):
    """The minimal gated unit: a gated recurrent unit with one gate.

    ``f = σ(W_f [x, h])``, ``ĥ = φ(W_h [x, f h])`` and ``h = (1 - f) h + f ĥ``, where `φ` is the
    `activation`. Zhou et al. (2016), Minimal gated unit for recurrent neural networks,
    International Journal of Automation and Computing.

    >>> import brainstate, jax.numpy as jnp
    >>> cell = brainstate.nn.init_all_states(brainstate.nn.MGUCell(2, 3))
    >>> cell(jnp.ones(2)).shape
    (3,)
    """

    def __init__(
        self,
        num_in: Size,
        num_out: Size,
        w_init: Callable | ArrayLike = _ORTHOGONAL,
        b_init: Callable | ArrayLike | None = _ZERO,
        state_init: Callable | ArrayLike = _ZERO,
        activation: str | Callable = "tanh",
        name: str | None = None,
    ):
        super().__init__(num_in, num_out, state_init, activation, name)
        self.Wf = self._layer(1, w_init, b_init)
        self.Wh = self._layer(1, w_init, b_init)

    def _step(self, x: jax.Array, *hidden: jax.Array) -> tuple[jax.Array, ...]:
        (h,) = hidden
        f = jax.nn.sigmoid(self.Wf(_joined(x, h)))
        new = self.activation(self.Wh(_joined(x, f * h)))
        return ((1 - f) * h + f * new,)


class LSTMCell(_Cell):
    """Long short-term memory, with a second hidden State, the cell `c`.

    ``i, g, f, o = W [x, h]``, ``c = σ(f + 1) c + σ(i) φ(g)`` and ``h = σ(o) φ(c)``, where `φ` is
    the `activation`. Hochreiter & Schmidhuber (1997), Long short-term memory, Neural Computation;
    the 1 beside `f`: Jozefowicz et al. (2015), An empirical exploration of recurrent network
    architectures, ICML.

    >>> import brainstate, jax.numpy as jnp
    >>> cell = brainstate.nn.init_all_states(brainstate.nn.LSTMCell(2, 3))
    >>> cell(jnp.ones(2)).shape, cell.c.value.shape
    ((3,), (3,))
    """

    _hidden = ("h", "c")
    c: HiddenState

    def __init__(
        self,
        num_in: Size,
        num_out: Size,
        w_init: Callable | ArrayLike = _XAVIER,
        b_init: Callable | ArrayLike | None = _ZERO,
        state_init: Callable | ArrayLike = _ZERO,
        activation: str | Callable = "tanh",
        name: str | None = None,
    ):
        super().__init__(num_in, num_out, state_init, activation, name)
        self.W = self._layer(4, w_init, b_init)

    def _step(self, x: jax.Array, *hidden: jax.Array) -> tuple[jax.Array, ...]:
        h, c = hidden
        i, g, f, o = jnp.split(self.W(_joined(x, h)), 4, axis=-1)
        c = jax.nn.sigmoid(f + 1) * c + jax.nn.sigmoid(i) * self.activation(g)
        return jax.nn.sigmoid(o) * self.activation(c), c


class URLSTMCell(_Cell):
    """Long short-term memory with refine gates `r` and uniform gate initialization.

    ``f, r, u, o = W [x, h]``; ``f' = σ(f + b)`` and ``r' = σ(r - b)`` with the trainable `bias`;
    ``g = 2 r' f' + (1 - 2 r') f'²``; ``c = g c + (1 - g) φ(u)`` and ``h = σ(o) φ(c)``, where `φ` is
    the `activation`. Gu et al. (2020), Improving the gating mechanism of recurrent neural networks,
    ICML.

    >>> import brainstate, jax.numpy as jnp
    >>> cell = brainstate.nn.init_all_states(brainstate.nn.URLSTMCell(2, 3))
    >>> cell(jnp.ones(2)).shape, cell.bias.value.shape
    ((3,), (3,))
    """

    _hidden = ("h", "c")
    c: HiddenState

    def __init__(
        self,
        num_in: Size,
        num_out: Size,
        w_init: Callable | ArrayLike = _XAVIER,
        state_init: Callable | ArrayLike = _ZERO,
        activation: str | Callable = "tanh",
        name: str | None = None,
    ):
        super().__init__(num_in, num_out, state_init, activation, name)
        self.W = self._layer(4, w_init, None)
        self.bias = ParamState(_UniformGates()(self._shapes[1][-1:]))

    def _step(self, x: jax.Array, *hidden: jax.Array) -> tuple[jax.Array, ...]:
        h, c = hidden
        f, r, u, o = jnp.split(self.W(_joined(x, h)), 4, axis=-1)
        f = jax.nn.sigmoid(f + self.bias.value)
        r = jax.nn.sigmoid(r - self.bias.value)
        g = 2 * r * f + (1 - 2 * r) * f**2
        c = g * c + (1 - g) * self.activation(u)
        return jax.nn.sigmoid(o) * self.activation(c), c


class _UniformGates(Initializer):
    """Biases of `n` gates that are then open by a number between ``1/n`` and ``1 - 1/n``."""

    def _number(self, shape: tuple[int, ...], dtype: DTypeLike) -> jax.Array:
        edge = min(1 / shape[-1], 0.5)
        return jax.scipy.special.logit(Uniform(edge, 1 - edge)(shape, dtype))


def _joined(x: jax.Array, h: jax.Array) -> jax.Array:
    return jnp.concatenate([x, h], axis=-1)


def _function(activation: str | Callable) -> Callable:
    found = getattr(functional, activation, None) if isinstance(activation, str) else activation
    if not callable(found):
        raise ValueError(
            "`activation` is a function, or the name of one in brainstate.functional; found "
            f"{activation!r}. [BST-A01]"
        )
    return found
