"""`LoRA`: adapting a layer by a correction of low rank."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..._state import ParamState, State
from ...init import LecunNormal, ZeroInit
from ...init.parameters import full_param
from ...init.sizes import needed_size
from ...typing import ArrayLike, Size
from ..checks import check_trailing
from ..dynamics.unit_arithmetic import add
from ..module import Module
from .linear import affine


class LoRA(Module):
    """``x · A · B + base(x)``, a correction of rank `lora_rank` to a layer that may be large.

    `A`, ``(in, rank)``, is drawn by `kernel_init`; `B`, ``(rank, out)``, starts at zero, so that
    training starts from `base_module` (Hu et al., 2022, arXiv:2106.09685). Both stand in the State
    `weight` as `lora_a` and `lora_b`; train this one only, and the base stays what it is.

    >>> import brainstate, jax.numpy as jnp
    >>> base = brainstate.nn.Linear(3, 4)
    >>> layer = brainstate.nn.LoRA(3, 2, 4, base_module=base)
    >>> x = jnp.ones(3)
    >>> bool((layer(x) == base(x)).all())
    True
    >>> brainstate.augment.grad(lambda: layer(x).sum(), layer.weight)()["lora_b"].shape
    (2, 4)
    """

    def __init__(
        self,
        in_features: int,
        lora_rank: int,
        out_features: int,
        *,
        base_module: Callable | None = None,
        kernel_init: Callable | ArrayLike = LecunNormal(),  # noqa: B008  immutable
        param_type: type[State] = ParamState,
        in_size: Size | None = None,
        name: str | None = None,
    ):
        super().__init__(name=name)
        if not (base_module is None or callable(base_module)):
            raise TypeError(
                f"`base_module` must be a layer or None; found {base_module!r}. [BST-A01]"
            )
        size = needed_size(in_features if in_size is None else in_size, "in_size")
        if size[-1] != in_features:
            raise ValueError(f"`in_size` must end in {in_features=}; found {size}. [BST-A04]")
        self.in_size, self.out_size = size, (*size[:-1], out_features)
        self.in_features, self.out_features = in_features, out_features
        self.base_module = base_module
        self.weight = param_type(
            {
                "lora_a": full_param(kernel_init, (in_features, lora_rank)),
                "lora_b": full_param(ZeroInit(), (lora_rank, out_features)),
            }
        )

    def update(self, x: ArrayLike) -> Any:
        check_trailing(self, x, self.in_size[-1:])  # type: ignore[index]
        value = self.weight.value
        correction = affine(affine(x, value["lora_a"]), value["lora_b"])
        return correction if self.base_module is None else add(self.base_module(x), correction)
