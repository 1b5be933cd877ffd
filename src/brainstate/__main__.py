"""``python -m brainstate``: what is installed here, and whether it works."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import jaxlib
import numpy as np

from . import event, nn
from ._state import ParamState
from ._version import __version__
from .augment import grad, vmap
from .compile import for_loop, jit
from .environ import context

_STEPS = 40
_WEIGHT, _DRIVE, _TAU, _DT = 1.5, 0.9, 8.0, 1.0


class Tiny(nn.Module):
    """A neuron behind a weight."""

    def __init__(self) -> None:
        super().__init__()
        self.w = ParamState(_WEIGHT)
        self.cell = nn.LIF(1, R=1.0, tau=_TAU, V_th=1.0, V_reset=0.0, V_rest=0.0)
        nn.init_all_states(self.cell)

    def update(self, drive: Any) -> Any:
        with context(dt=_DT):
            return self.cell(self.w.value * drive)[0]


def run(net: Tiny, drive: Any = _DRIVE) -> tuple[Any, Any]:
    """The spikes and potentials of each step, from rest."""
    nn.reset_all_states(net.cell)
    return for_loop(lambda _: (net(drive), net.cell.V.value[0]), jnp.arange(_STEPS))


def by_hand(drive: float) -> tuple[np.ndarray, np.ndarray]:
    """The same in NumPy: a leaky integrator with exact steps, lowered after each spike."""
    decay, V, spikes, potentials = np.exp(-_DT / _TAU), 0.0, [], []
    for _ in range(_STEPS):
        V -= float(V >= 1.0)
        V = decay * V + (1 - decay) * _WEIGHT * drive
        spikes.append(float(V >= 1.0))
        potentials.append(V)
    return np.array(spikes), np.array(potentials)


def check_loop() -> None:
    """A loop outside all transformations."""
    found = run(Tiny())
    for here, there in zip(found, by_hand(_DRIVE), strict=True):
        np.testing.assert_allclose(here, there, atol=1e-5)


def check_jit() -> None:
    """The compiled loop, called twice; the States end where they should."""
    net = Tiny()
    compiled = jit(lambda: run(net)[0].sum())
    spikes, potentials = by_hand(_DRIVE)
    for _ in range(2):
        np.testing.assert_allclose(compiled(), spikes.sum())
        np.testing.assert_allclose(net.cell.V.value[0], potentials[-1], atol=1e-5)


def check_vmap() -> None:
    """Lanes of other drives, each from rest."""
    drives = np.array([0.5, 0.9, 1.7], np.float32)
    found = vmap(lambda drive: run(Tiny(), drive)[0])(jnp.asarray(drives))
    expected = [by_hand(drive)[0] for drive in drives]
    np.testing.assert_allclose(found, expected)


def check_grad() -> None:
    """The derivative of the first potential by the weight, and the sign of that of the spikes."""
    net = Tiny()
    slope = grad(lambda: run(net)[1][0], net.w)()
    np.testing.assert_allclose(slope, (1 - np.exp(-_DT / _TAU)) * _DRIVE, rtol=1e-5)
    if not grad(lambda: run(net)[0].sum(), net.w)() > 0:
        raise AssertionError("the surrogate gradient of the number of spikes is not positive")


def check_event() -> None:
    """Spikes through sparse synapses, against the dense matrix."""
    layer = event.FixedProb(50, 20, prob=0.2, weight=0.5, seed=0)
    spikes = jnp.arange(50) % 7 == 0
    dense = np.asarray(layer.connection.todense())
    np.testing.assert_allclose(jit(layer)(spikes), np.asarray(spikes, float) @ dense, rtol=1e-5)


CHECKS: dict[str, Callable[[], None]] = {
    "for_loop": check_loop,
    "jit": check_jit,
    "vmap": check_vmap,
    "grad": check_grad,
    "event": check_event,
}


def versions() -> Iterator[tuple[str, str]]:
    """What is installed."""
    yield "python", f"{platform.python_version()}, {platform.system()} {platform.machine()}"
    yield "jax", f"{jax.__version__}, jaxlib {jaxlib.__version__}"
    yield "brainstate", __version__
    devices = jax.devices()
    kinds = ", ".join(dict.fromkeys(device.device_kind for device in devices))
    yield "devices", f"{len(devices)} × {jax.default_backend()} ({kinds})"
    yield "event", _event_backend()


def _event_backend() -> str:
    try:
        return str(event.backend())
    except Exception as error:  # a choice that cannot be had: the rest is shown all the same
        return f"{type(error).__name__}: {error}"


def main(say: Callable[[str], Any] = print) -> int:
    """Print it all; 1 if a check failed, else 0."""
    for name, text in versions():
        say(f"{name:<11} {text}")
    say("\nself-test")
    failed = 0
    for name, check in CHECKS.items():
        start = time.perf_counter()
        try:
            check()
        except Exception as error:  # the others are run, whatever it is
            failed += 1
            say(f"  {name:<9} FAILED: {type(error).__name__}: {error}")
        else:
            say(f"  {name:<9} ok, {time.perf_counter() - start:.1f} s")
    say("\nwhere to go next")
    for step in NEXT:
        say(f"  {step}")
    return int(failed > 0)


NEXT = (
    "help(brainstate), help(brainstate.nn.LIF), ...: every name says what it is for",
    "brainstate.explain(f)(*args): what a function does to its States",
    "brainstate.visualize.program(f)(*args): the same as a picture",
    "examples/ and docs/ in the source: networks, training, guides; `make demo`, `make docs`",
)


if __name__ == "__main__":
    sys.exit(main())
