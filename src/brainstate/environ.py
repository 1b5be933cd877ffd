"""Settings that models look up: `dt`, `t`, `fit`, the floating-point precision, and any others.

`set` is for the whole process, `context` for a block in the current thread. A compiled function
follows every setting that its body looked at: numbers and objects are part of what it was
compiled for; a setting that holds `jax.Array`s is passed in at each call, as a State is.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ._engine import guards
from ._engine.cell import UNSET
from ._engine.frames import Frame, current_frame, read
from ._engine.guards import freeze
from ._errors import BadKeyError

if TYPE_CHECKING:
    from .typing import DTypeLike

__all__ = [
    "all",
    "context",
    "dctype",
    "dftype",
    "ditype",
    "dutype",
    "get",
    "get_dt",
    "get_host_device_count",
    "get_mem_scaling",
    "get_mode",
    "get_platform",
    "get_precision",
    "register_default_behavior",
    "set",
    "set_host_device_count",
    "set_host_thread_count",
    "set_platform",
    "tolerance",
]

I = "i"  # noqa: E741  the step index
T = "t"
DT = "dt"
FIT = "fit"
JIT_ERROR_CHECK = "jit_error_check"
PRECISION = "precision"


class _Entry(NamedTuple):
    value: Any
    frame: Frame | None  # the body inside which the context was entered


class _Scope(dict):
    """Immutable by convention; a new one stands for new settings."""


_MISSING: Any = type("Unset", (), {"__repr__": lambda self: "<unset>"})()
_lock = threading.Lock()
_process: _Scope = _Scope({PRECISION: 32})
_no_context = _Scope()
_local: ContextVar[_Scope] = ContextVar("brainstate_environ", default=_no_context)
_behaviors: dict[str, Callable[[Any], Any]] = {}


# ---------------------------------------------------------------- look-up


def get(key: str, default: Any = _MISSING, desc: str | None = None) -> Any:
    """The setting `key`: of the innermost context, of the process, or `default`.

    >>> import brainstate
    >>> with brainstate.environ.context(dt=0.1):
    ...     brainstate.environ.get("dt")
    0.1
    """
    if key == "platform":
        return get_platform()
    if key == "host_device_count":
        return get_host_device_count()
    value = _observe(key)
    if value is not _MISSING:
        return value
    if default is not _MISSING:
        return default
    meaning = f" {key}: {desc.rstrip('.')}." if desc else ""
    raise BadKeyError(
        f"There is no setting {key!r} in environ. Set it for a block with "
        f"`with brainstate.environ.context({key}=...):`, or for the process with "
        f"`brainstate.environ.set({key}=...)`.{meaning} [BST-V01]"
    )


def all() -> dict[str, Any]:
    """Every setting in force here."""
    return {key: _observe(key) for key in {**_process, **_local.get()}}


def _now(key: str) -> Any:
    entry = _local.get().get(key)
    return _process.get(key, _MISSING) if entry is None else entry.value


def _observe(key: str) -> Any:
    """Look a setting up, and let the programs under way know that they depend on it."""
    value, frame = _now(key), current_frame()
    if frame is None or not frame.guarded:
        return value
    entry = _local.get().get(key)
    home = entry.frame if entry is not None else None
    snapshot = _snapshot(key)
    inner: Frame | None = frame
    while inner is not None and inner is not home:
        if inner.guards is not None:
            inner.guards.add_setting(key, snapshot)
        inner = inner.parent
    return read(frame, _setting(key)) if home is None and _holds_arrays(value) else value


def _holds_arrays(value: Any) -> bool:
    return any(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(value))


def _snapshot(key: str) -> Any:
    """What a program that looked the setting up relies on."""
    value, entry = _now(key), _local.get().get(key)
    passed_in = _holds_arrays(value) and (entry is None or entry.frame is None)
    return "arrays" if passed_in else freeze(value)


guards.settings.scope = lambda: (_process, _local.get())
guards.settings.snapshot = _snapshot
guards.settings.observe = _observe


class _Setting:
    """A setting that holds arrays, in the role of a State that is only read."""

    _home = None
    private_to_lanes = False

    def __init__(self, key: str):
        self.key = self.name = key
        self._cell = _SettingCell(key)

    @property
    def _value(self) -> Any:
        return self._cell.get()


class _SettingCell:
    """Has the setting looked up whenever a compiled function collects its inputs."""

    lasting = False

    def __init__(self, key: str):
        self.key = key

    def remember(self) -> None:
        """There is no clock of settings: they are looked up at each call."""

    def get(self) -> Any:
        value = _now(self.key)
        return UNSET if value is _MISSING else value

    @property
    def leaves(self) -> list:
        return jax.tree.leaves(self.get())

    @property
    def tree(self) -> Any:
        return jax.tree.structure(self.get())


_settings: dict[str, _Setting] = {}


def _setting(key: str) -> Any:
    return _settings.setdefault(key, _Setting(key))


# ---------------------------------------------------------------- assignment


def set(
    platform: str | None = None,
    host_device_count: int | None = None,
    mem_scaling: Any = None,
    precision: int | None = None,
    mode: Any = None,
    **kwargs: Any,
) -> None:
    """Change settings of the whole process, for all threads.

    >>> import brainstate
    >>> brainstate.environ.set(precision=32)
    """
    global _process
    named = {"mem_scaling": mem_scaling, PRECISION: precision, "mode": mode}
    named = {key: value for key, value in named.items() if value is not None}
    _check_kinds(named)
    kwargs.update(named)
    _validate(kwargs)
    if platform is not None:
        set_platform(platform)
    if host_device_count is not None:
        set_host_device_count(host_device_count)
    with _lock:
        _process = _Scope({**_process, **kwargs})
    if PRECISION in kwargs:
        jax.config.update("jax_enable_x64", kwargs[PRECISION] == 64)
    _notify(kwargs)


@contextlib.contextmanager
def context(**kwargs: Any) -> Iterator[dict[str, Any]]:
    """Change settings for a block, or, as a decorator, for each call of a function.

    >>> import brainstate
    >>> @brainstate.environ.context(fit=True)
    ... def training():
    ...     return brainstate.environ.get("fit")
    >>> training()
    True
    """
    for key in ("platform", "host_device_count"):
        if key in kwargs:
            raise ValueError(
                f"{key!r} belongs to the process: use brainstate.environ.set(). [BST-V02]"
            )
    _validate(kwargs)
    frame = current_frame()
    entries = {key: _Entry(value, frame) for key, value in kwargs.items()}
    token = _local.set(_Scope({**_local.get(), **entries}))
    try:
        with _x64(kwargs.get(PRECISION)):
            _notify(kwargs)
            yield all()
    finally:
        _local.reset(token)
        _notify({key: now for key in kwargs if (now := _now(key)) is not _MISSING})


def _x64(precision: int | None) -> contextlib.AbstractContextManager:
    return contextlib.nullcontext() if precision is None else jax.enable_x64(precision == 64)


# By room and class, as rooms above this one are not imported here: where a room is not even loaded,
# nothing is of its classes.
_KINDS = {"mode": ("mixin", "Mode"), "mem_scaling": ("util", "MemScaling")}


def _check_kinds(settings: dict[str, Any]) -> None:
    for key in _KINDS.keys() & settings.keys():
        room, name = _KINDS[key]
        kind = getattr(sys.modules.get(f"{__package__}.{room}"), name, ())
        if not isinstance(settings[key], kind):
            raise TypeError(
                f"`{key}` must be a brainstate.{room}.{name}; found {settings[key]!r} of type "
                f"{type(settings[key]).__name__}. [BST-A01]"
            )


def _validate(settings: dict[str, Any]) -> None:
    precision = settings.get(PRECISION)
    if precision is not None and precision not in _DTYPES:
        raise ValueError(
            f"precision is {precision!r}; it must be one of {list(_DTYPES)}. [BST-A03]"
        )


def register_default_behavior(
    key: str, behavior: Callable[[Any], Any], replace_if_exist: bool = False
) -> None:
    """Have `behavior(value)` called whenever setting `key` changes."""
    if not isinstance(key, str) or not callable(behavior):
        raise TypeError(
            "register_default_behavior() takes a str and a function of the value; found "
            f"{key!r} and {behavior!r}. [BST-A01]"
        )
    if key in _behaviors and not replace_if_exist:
        raise ValueError(f"{key!r} has a behavior already; pass replace_if_exist=True. [BST-A11]")
    _behaviors[key] = behavior


def _notify(settings: dict[str, Any]) -> None:
    for key, value in settings.items():
        if key in _behaviors:
            _behaviors[key](value)


# ---------------------------------------------------------------- well-known settings


def get_dt() -> Any:
    """The integration step `dt`."""
    return get(DT, desc="the integration step, a number or a time such as 0.1 * u.ms")


def get_mode() -> Any:
    """The mode that models run in, such as training."""
    return get("mode")


def get_mem_scaling() -> Any:
    """The scaling between physical and computational units of a membrane potential."""
    return get("mem_scaling")


def get_precision() -> int:
    """Bits of the default floating-point type: 64, 32, 16 or 8."""
    return get(PRECISION)


_DTYPES: dict[int, dict[str, Any]] = {
    64: {"f": np.float64, "i": np.int64, "u": np.uint64, "c": np.complex128},
    32: {"f": np.float32, "i": np.int32, "u": np.uint32, "c": np.complex64},
    16: {"f": jnp.bfloat16, "i": np.int16, "u": np.uint16},
    8: {"i": np.int8, "u": np.uint8},
}


def _dtype(kind: str, noun: str) -> Any:
    precision = get_precision()
    try:
        return _DTYPES[precision][kind]
    except KeyError:
        raise ValueError(
            f"There is no {noun} type of precision {precision}; set another precision with "
            "brainstate.environ.set(precision=...). [BST-A09]"
        ) from None


def dftype() -> DTypeLike:
    """The default floating-point type (bfloat16 for precision 16)."""
    return _dtype("f", "floating-point")


def ditype() -> DTypeLike:
    """The default integer type."""
    return _dtype("i", "integer")


def dutype() -> DTypeLike:
    """The default unsigned integer type."""
    return _dtype("u", "unsigned integer")


def dctype() -> DTypeLike:
    """The default complex type."""
    return _dtype("c", "complex")


def tolerance() -> Any:
    """A tolerance for comparisons at the current precision."""
    precision = get_precision()
    if precision == 64:
        return np.float64(1e-12)
    return np.float32(1e-5) if precision == 32 else np.float16(1e-2)


# ---------------------------------------------------------------- platform

_DEVICE_FLAG = "--xla_force_host_platform_device_count"


def get_platform() -> str:
    """The platform of JAX's first device."""
    return jax.devices()[0].platform


def set_platform(platform: str) -> None:
    """Choose cpu, gpu or tpu; takes effect only before JAX's first operation."""
    if platform not in ("cpu", "gpu", "tpu"):
        raise ValueError(f"platform is {platform!r}; it must be 'cpu', 'gpu' or 'tpu'. [BST-A03]")
    jax.config.update("jax_platform_name", platform)
    _notify({"platform": platform})


def get_host_device_count() -> int:
    """How many devices XLA_FLAGS makes of the CPU."""
    found = re.search(rf"{_DEVICE_FLAG}=(\d+)", os.environ.get("XLA_FLAGS", ""))
    return int(found.group(1)) if found else 1


def set_host_device_count(n: int) -> None:
    """Split the CPU into `n` devices; takes effect only before JAX's first operation."""
    flags = [f for f in os.environ.get("XLA_FLAGS", "").split() if not f.startswith(_DEVICE_FLAG)]
    os.environ["XLA_FLAGS"] = " ".join([*flags, f"{_DEVICE_FLAG}={n}"])
    _notify({"host_device_count": n})


def set_host_thread_count(n: int) -> None:
    """Let XLA split operations on the CPU among `n` threads at most, before JAX's first operation.

    XLA splits even steps of some thousand neurons, and the threads then wait for each other at each
    step; most so where other programs are busy. One thread is faster for a spiking network of up to
    a hundred thousand neurons. Large products of matrices are faster with all of them.
    """
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(
            f"The number of threads must be an integer of at least 1; found {n!r}. [BST-A02]"
        )
    os.environ["NPROC"] = str(n)  # what XLA takes for the number of cores
