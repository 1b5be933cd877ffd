"""What physical units cost: eager steps of a neuron, and compiled steps with units and without.

A compiled step is compared by its number of equations, and by the time of a loop of 1000 steps.
"""

from __future__ import annotations

import brainunit as u
import jax
import jax.numpy as jnp
from _timing import interleaved, machine, median, ratio, table

import brainstate as bst

SIZE, STEPS = 100, 1000


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


def equations(step: object) -> int:
    """Those of inner functions included."""
    return str(bst.compile.make_jaxpr(step)()).count(" = ")


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
        compiled = interleaved(loops, rounds=41)
        counts = {key: equations(s) for key, s in steps.items()}
        rows.append(
            [
                name,
                median(eager["plain"], 1e-3, 2),
                median(eager["units"], 1e-3, 2),
                f"{counts['plain']} / {counts['units']}",
                ratio(compiled["units"], compiled["plain"]),
            ]
        )
    header = [
        "model",
        "eager step, ms",
        "with units, ms",
        "equations, without / with",
        "loop, ratio",
    ]
    table(f"{SIZE} neurons, {STEPS} compiled steps", header, rows)


if __name__ == "__main__":
    main()
