"""What physical units cost: eager steps of a neuron, and compiled steps with units and without.

Compiled loops are compared by the program that XLA is given, and by their time.
"""

from __future__ import annotations

import time

import brainunit as u
import jax
import jax.numpy as jnp
from _timing import interleaved, machine, median, ratio, table

import brainstate as bst

SIZE, STEPS = 100, 20_000


def models(ms: object, mV: object, ohm: object) -> dict[str, bst.nn.Neuron]:
    options = {"R": 1.0 * ohm, "tau": 5.0 * ms, "V_th": 1.0 * mV, "V_reset": 0.0 * mV}
    options |= {"V_rest": 0.0 * mV, "V_initializer": 0.0 * mV}
    return {
        "LIF": bst.nn.LIF(SIZE, **options),
        "ALIF": bst.nn.ALIF(SIZE, tau_a=100.0 * ms, beta=0.1 * mV, **options),
    }


def step_of(neuron: bst.nn.Neuron, current: jax.Array, dt: object) -> object:
    def step() -> jax.Array:
        with bst.environ.context(dt=dt):
            return neuron(current)

    return step


def body_of(jitted: object) -> str:
    """The program, without the order in which the States enter and leave."""
    return jitted.lower().as_text().partition("func.func private")[2]


def main() -> None:
    print(machine())
    drive = jnp.linspace(0.5, 3.0, SIZE)
    rows = []
    with_units, without = models(u.ms, u.mV, u.ohm), models(1.0, 1.0, 1.0)
    for name in with_units:
        unit = bst.nn.init_all_states(with_units[name])
        plain = bst.nn.init_all_states(without[name])
        steps = {
            "plain": step_of(plain, drive, 0.1),
            "units": step_of(unit, drive * u.mA, 0.1 * u.ms),
        }
        eager = interleaved(steps, rounds=21)
        loops = {
            key: bst.compile.jit(lambda s=s: bst.compile.for_loop(s, length=STEPS).sum())
            for key, s in steps.items()
        }
        compiled = interleaved(loops, rounds=41, clock=time.perf_counter)  # XLA has own threads
        texts = {body_of(loop) for loop in loops.values()}
        rows.append(
            [
                name,
                median(eager["plain"], 1e-3, 2),
                median(eager["units"], 1e-3, 2),
                "the same" if len(texts) == 1 else "another",
                ratio(compiled["units"], compiled["plain"]),
            ]
        )
    header = [
        "model",
        "eager step, ms",
        "with units, ms",
        "program",
        "loop, ratio",
    ]
    table(f"{SIZE} neurons, {STEPS} compiled steps", header, rows)


if __name__ == "__main__":
    main()
