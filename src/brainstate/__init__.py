"""brainstate: stateful programs on JAX, for models of brains and recurrent networks.

A model is ordinary objects that hold `State`s; functions read and write ``state.value``; and
transformations differentiate, batch, compile and loop such functions without rewriting them.
"""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._debug.context import debug
from ._state import (
    HiddenState,
    LongTermState,
    ParamState,
    ShortTermState,
    State,
    StateDictManager,
    StateTraceStack,
    TreefyState,
    catch_new_states,
    check_state_jax_tracer,
    check_state_value_tree,
)
from ._version import __version__

if TYPE_CHECKING:
    from . import (
        augment,
        compile,
        environ,
        event,
        functional,
        graph,
        init,
        mixin,
        nn,
        optim,
        random,
        saving,
        surrogate,
        transform,
        typing,
        util,
        visualize,
    )
    from .explanation import explain

__all__ = [
    "HiddenState",
    "LongTermState",
    "ParamState",
    "ShortTermState",
    "State",
    "StateDictManager",
    "StateTraceStack",
    "TreefyState",
    "__version__",
    "augment",
    "catch_new_states",
    "check_state_jax_tracer",
    "check_state_value_tree",
    "compile",
    "debug",
    "environ",
    "event",
    "explain",
    "functional",
    "graph",
    "init",
    "mixin",
    "nn",
    "optim",
    "random",
    "saving",
    "surrogate",
    "transform",
    "typing",
    "util",
    "visualize",
]

for _kind in (State, ShortTermState, LongTermState, HiddenState, ParamState, TreefyState,
              StateDictManager, StateTraceStack, debug):  # fmt: skip
    _kind.__module__ = "brainstate"
del _kind


def _warn_of_another_brainstate() -> None:
    # The earlier releases have this import name too; installed together, files overwrite files.
    if any(Path(__file__).parent.parent.glob("brainstate-[0-9]*.dist-info")):
        warnings.warn(
            "The distributions `brainstate-jax` (this one) and `brainstate` are both installed and "
            "overwrite each other's files. Run `pip uninstall brainstate brainstate-jax`, then "
            "install the one you want. [BST-A11]",
            stacklevel=2,
        )


_warn_of_another_brainstate()


def __getattr__(name: str) -> Any:
    # Rooms are imported when first used: `import brainstate` costs little beyond `import jax`.
    if name == "explain":
        return importlib.import_module(".explanation", __name__).explain
    if name in __all__:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module 'brainstate' has no attribute {name!r} [BST-A05]")


def __dir__() -> list[str]:
    return sorted(__all__)
