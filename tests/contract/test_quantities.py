"""States that hold quantities keep their units."""

import brainunit as u
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate._engine.frames import current_frame
from contract.transformations import (
    EFFECTIVE,
    KINDS,
    ROWS,
    name_of,
    runs_of,
    some_nests,
    through,
)

LOOPS = [row for row in ROWS if row.repeats]
STRAIGHT = [row for row in EFFECTIVE if not row.repeats]


def mantissa_in(value, unit):
    assert value.unit.has_same_dim(unit)
    return np.asarray(value.to_decimal(unit))


class Membrane(brainstate.graph.Node):
    def __init__(self):
        self.V = brainstate.HiddenState(-65.0 * u.mV)
        self.spikes = brainstate.State({"time": 0.0 * u.ms, "count": jnp.float32(0.0)})


@pytest.mark.parametrize("rows", some_nests(EFFECTIVE), ids=name_of)
def test_units_survive(rows):
    cell = Membrane()

    def body(x):
        cell.V.value = cell.V.value + x * u.mV
        spikes = cell.spikes.value
        cell.spikes.value = {"time": spikes["time"] + 2.0 * u.ms, "count": spikes["count"] + 1.0}
        return (cell.V.value / u.mV) * x

    call = through(*rows)(body)
    for runs in (runs_of(rows), 2 * runs_of(rows)):
        out = call(jnp.float32(2.0))
        assert cell.V.value.unit == u.mV
        np.testing.assert_allclose(cell.V.value.mantissa, -65.0 + 2.0 * runs)
        np.testing.assert_allclose(mantissa_in(cell.spikes.value["time"], u.ms), 2.0 * runs)
        np.testing.assert_allclose(cell.spikes.value["count"], runs)
        np.testing.assert_allclose(out, 2.0 * (-65.0 + 2.0 * runs))


@pytest.mark.parametrize("unit", [u.mA, u.volt], ids=["dimension", "scale"])
@pytest.mark.parametrize("rows", some_nests(LOOPS), ids=name_of)
def test_change_of_unit_in_a_loop_or_branch_is_refused(rows, unit):
    cell = Membrane()
    before = cell.V.value

    def body(x):
        cell.V.value = x * unit
        return x

    with pytest.raises(TypeError, match=r"HiddenState `V` of Membrane.*unit"):
        through(*rows)(body)(jnp.float32(2.0))
    assert cell.V.value is before
    assert current_frame() is None


@pytest.mark.parametrize("rows", some_nests(STRAIGHT), ids=name_of)
def test_change_of_unit_elsewhere_is_an_assignment(rows):
    cell = Membrane()

    def body(x):
        cell.V.value = x * u.mA
        return x

    call = through(*rows)(body)
    for _ in range(2):
        call(jnp.float32(2.0))
        np.testing.assert_allclose(mantissa_in(cell.V.value, u.mA), 2.0)
        cell.V.value = -65.0 * u.mV


@pytest.mark.parametrize("row", KINDS, ids=name_of)
def test_quantities_of_the_caller_pass_through(row):
    """The body closes over a quantity and makes others of it."""
    current = 3.0 * u.nA
    voltage = brainstate.State(0.0 * u.mV)

    def body(x):
        voltage.value = (current * (x * u.Mohm)).in_unit(u.mV)
        return x

    row(body)(jnp.float32(2.0))
    np.testing.assert_allclose(mantissa_in(voltage.value, u.mV), 6.0, rtol=1e-6)
