"""The functions of `functional` as modules."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar

import jax.numpy as jnp

from ... import functional as F
from ..._state import ParamState
from ...functional.spike_logic import spike_operation
from ...init.parameters import full_param
from ...random.drawing import check
from ...typing import ArrayLike, DTypeLike, Size
from ..checks import check_trailing
from ..module import ElementWiseBlock
from .dimensions import from_end
from .shaping import Reshaping

NEEDED: Any = inspect.Parameter.empty  # in place of a default


class Activation(ElementWiseBlock):
    """Base of modules that apply a function, with options that are attributes of their names."""

    function: ClassVar[Callable[..., Any]]
    options: ClassVar[tuple[str, ...]] = ()

    def update(self, *args: Any) -> Any:
        options = {_ARGUMENTS.get(name, name): getattr(self, name) for name in self.options}
        return type(self).function(*args, **options)


_ARGUMENTS = {"dim": "axis"}  # of the function, where an option has another name


def _module(
    class_name: str,
    function: Callable[..., Any],
    check_options: Callable[..., Any] | None = None,
    **options: Any,
) -> type[Any]:
    """The module of a function, which is constructed from its options and a name."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    given = {**options, "name": None}
    signature = inspect.Signature(
        [inspect.Parameter("self", kind)]
        + [inspect.Parameter(name, kind, default=default) for name, default in given.items()]
    )

    def __init__(self: Activation, *args: Any, **kwargs: Any) -> None:
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        _, *values, name = bound.args
        Activation.__init__(self, name=name)
        for option, value in zip(options, values, strict=True):
            setattr(self, option, value)
        if check_options is not None:
            check_options(*values)

    __init__.__qualname__ = f"{class_name}.__init__"
    __init__.__signature__ = signature  # type: ignore[attr-defined]
    doc = [str(function.__doc__).partition("\n\n")[0]]
    if options:
        listed = (name if x is NEEDED else f"{name}={x!r}" for name, x in options.items())
        doc.append(f"Options: {', '.join(listed)}.")
    if function.__name__ in F.__all__:
        doc.append(f"See `brainstate.functional.{function.__name__}`.")
    namespace = {
        "function": staticmethod(function),
        "options": tuple(options),
        "__init__": __init__,
        "__module__": __name__,
        "__doc__": "\n\n".join(doc),
    }
    return type(class_name, (Activation,), namespace)


def _increasing(low: Any, high: Any) -> None:
    check(
        lambda low, high: low < high, "`min_val` must be below `max_val`; found {low} and {high}.",
        low=low, high=high,
    )  # fmt: skip


def _not_decreasing(low: Any, high: Any) -> None:
    check(
        lambda low, high: low <= high, "`lower` must not be above `upper`; found {low} and {high}.",
        low=low, high=high,
    )  # fmt: skip


def _softmax_of_channels(x: Any) -> Any:
    """Softmax over axis -3 of images of shape ``(..., channels, height, width)``, 3 or 4 axes."""
    if jnp.ndim(x) not in (3, 4):
        raise ValueError(
            f"Softmax2d takes arrays of 3 or 4 axes; found the shape {jnp.shape(x)}. [BST-A04]"
        )
    return F.softmax(x, axis=-3)


def _identity(x: Any) -> Any:
    """The input itself."""
    return x


Identity = _module("Identity", _identity)
ReLU = _module("ReLU", F.relu)
ReLU6 = _module("ReLU6", F.relu6)
LeakyReLU = _module("LeakyReLU", F.leaky_relu, negative_slope=1e-2)
RReLU = _module("RReLU", F.rrelu, _not_decreasing, lower=1 / 8, upper=1 / 3)
ELU = _module("ELU", F.elu, alpha=1.0)
CELU = _module("CELU", F.celu, alpha=1.0)
SELU = _module("SELU", F.selu)
GELU = _module("GELU", F.gelu, approximate=False)
SiLU = _module("SiLU", F.silu)
Mish = _module("Mish", F.mish)
Hardswish = _module("Hardswish", F.hard_swish)
Sigmoid = _module("Sigmoid", F.sigmoid)
LogSigmoid = _module("LogSigmoid", F.log_sigmoid)
Hardsigmoid = _module("Hardsigmoid", F.hard_sigmoid)
Tanh = _module("Tanh", F.tanh)
Hardtanh = _module("Hardtanh", F.hard_tanh, _increasing, min_val=-1.0, max_val=1.0)
Tanhshrink = _module("Tanhshrink", F.tanh_shrink)
Hardshrink = _module("Hardshrink", F.hard_shrink, lambd=0.5)
Softshrink = _module("Softshrink", F.soft_shrink, lambd=0.5)
Softplus = _module("Softplus", F.softplus)
Softsign = _module("Softsign", F.soft_sign)
Threshold = _module("Threshold", F.threshold, threshold=NEEDED, value=NEEDED)
Softmax = _module("Softmax", F.softmax, dim=None)
LogSoftmax = _module("LogSoftmax", F.log_softmax, dim=None)
Softmin = _module("Softmin", F.softmin, dim=None)
Softmax2d = _module("Softmax2d", _softmax_of_channels)
SpikeBitwise = _module("SpikeBitwise", F.spike_bitwise, spike_operation, op="and")


class PReLU(ElementWiseBlock):
    """`x` where ``x >= 0``, else ``weight * x``, with a slope for each channel or one for all.

    The channels are the last axis. The slopes are the State `weight`, of `num_parameters` numbers.

    >>> import brainstate
    >>> brainstate.nn.PReLU()(jnp.array([-2.0, 2.0]))
    Array([-0.5,  2. ], dtype=float32)
    """

    def __init__(
        self,
        num_parameters: int = 1,
        init: Callable | ArrayLike = 0.25,
        dtype: DTypeLike | None = None,
        name: str | None = None,
    ):
        super().__init__(name=name)
        self.num_parameters = num_parameters
        weight = full_param(init, (num_parameters,))
        self.weight = ParamState(weight if dtype is None else weight.astype(dtype))

    def update(self, x: Any) -> Any:
        if self.num_parameters > 1:
            check_trailing(self, x, (self.num_parameters,))
        return F.prelu(x, self.weight.value)


class GLU(Reshaping):
    """The first half of the input along `dim`, times the sigmoid of the second half.

    >>> import brainstate
    >>> brainstate.nn.GLU(in_size=6).out_size
    (3,)
    """

    def __init__(self, dim: int = -1, in_size: Size | None = None, name: str | None = None):
        super().__init__(name=name)
        self.dim = dim
        self._set_in_size(in_size)

    def _transform(self, x: Any) -> Any:
        return F.glu(x, from_end(self.dim, self._rank(x), "dim"))
