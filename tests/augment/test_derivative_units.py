"""Derivatives of quantities: in the unit of the output over that of the State, in closed form."""

import brainunit as u
import jax.numpy as jnp
import numpy as np
import pytest

from brainstate import ParamState
from brainstate.augment import grad, hessian, jacfwd, jacrev, vector_grad, vmap
from brainstate.transform import jit

VOLTAGE = jnp.array([1.0, 2.0])


def is_in(quantity, unit, expected):
    """Whether a quantity has this very unit (or no dimension, for None), and these numbers."""
    if unit is None:
        assert not isinstance(quantity, u.Quantity)
        number = quantity
    else:
        assert quantity.dim == unit.dim, (quantity.unit, unit)
        number = quantity.to_decimal(unit)
    np.testing.assert_allclose(number, expected, rtol=1e-6)
    return True


@pytest.fixture
def v():
    return ParamState(VOLTAGE * u.mV)


def energy(v):
    """∑ v² / R, in mV²/mohm."""
    return (v**2).sum() / (2.0 * u.mohm)


@pytest.mark.parametrize("transform", [grad, vector_grad, jacrev, jacfwd])
@pytest.mark.parametrize("wrap", [lambda f: f, jit], ids=["eager", "jit"])
def test_first_order(v, transform, wrap):
    found, value = wrap(transform(lambda: energy(v.value), v, unit_aware=True, return_value=True))()
    assert is_in(found, u.mV / u.mohm, VOLTAGE)
    assert is_in(value, u.mV**2 / u.mohm, 2.5)


@pytest.mark.parametrize("transform", [grad, vector_grad, jacrev, jacfwd])
def test_plain_loss_of_a_quantity(v, transform):
    found = transform(lambda: (v.value.to_decimal(u.mV) ** 2).sum(), v, unit_aware=True)()
    assert is_in(found, u.mV**-1, 2 * VOLTAGE)


@pytest.mark.parametrize("transform", [grad, vector_grad, jacrev, jacfwd])
def test_loss_in_units_of_a_plain_parameter(transform):
    w = ParamState(3.0)
    found = transform(lambda: w.value**2 * u.mV, w, unit_aware=True)()
    assert is_in(found, u.mV, 6.0)


@pytest.mark.parametrize("transform", [grad, jacrev, jacfwd])
def test_units_that_cancel_leave_plain_numbers(v, transform):
    found = transform(lambda: v.value.sum() * 2.0, v, unit_aware=True)()
    assert is_in(found, None, [2, 2])


@pytest.mark.parametrize("transform", [grad, vector_grad, jacrev, jacfwd])
def test_units_of_one_kind_and_different_scale(v, transform):
    """d(volt)/d(millivolt): the number is right whichever scale it is shown in."""
    found = transform(lambda: (v.value**2).sum().in_unit(u.volt**2), v, unit_aware=True)()
    assert is_in(found, u.mV, 2 * VOLTAGE)


@pytest.mark.parametrize("transform", [jacrev, jacfwd])
def test_jacobian_is_aware_of_units_unasked(v, transform):
    current = ParamState(3.0 * u.mA)

    def f():
        return {"p": v.value * current.value, "q": v.value**2}

    found = transform(f, {"v": v, "i": current})()
    assert is_in(found["p"]["v"], u.mA, 3 * np.eye(2))
    assert is_in(found["p"]["i"], u.mV, VOLTAGE)
    assert is_in(found["q"]["v"], u.mV, np.diag(2 * VOLTAGE))
    assert is_in(found["q"]["i"], u.mV**2 / u.mA, [0, 0])


def test_vector_grad_of_outputs_of_one_unit(v):
    found, value = vector_grad(lambda: v.value**2, v, unit_aware=True, return_value=True)()
    assert is_in(found, u.mV, 2 * VOLTAGE)
    assert is_in(value, u.mV**2, VOLTAGE**2)


def test_hessian_divides_twice(v):
    current = ParamState(jnp.asarray(3.0) * u.mA)
    found = hessian(lambda: (v.value**3).sum() * current.value**2, {"v": v, "i": current})()
    assert is_in(found["v"]["v"], u.mV * u.mA**2, np.diag(6 * VOLTAGE) * 9)
    assert is_in(found["v"]["i"], u.mV**2 * u.mA, 3 * VOLTAGE**2 * 6)
    assert is_in(found["i"]["v"], u.mV**2 * u.mA, 3 * VOLTAGE**2 * 6)
    assert is_in(found["i"]["i"], u.mV**3, 2 * 9)


def test_dicts_of_quantities_and_numbers():
    w = ParamState({"g": 2.0 * u.mS, "k": jnp.array([1.0, 3.0])})

    def loss():
        return (w.value["g"] * w.value["k"] ** 2).sum() * (5.0 * u.mV)

    found = grad(loss, w, unit_aware=True)()
    assert is_in(found["g"], u.mV, 50.0)
    assert is_in(found["k"], u.mS * u.mV, [20, 60])
    found = hessian(loss, w)()
    assert is_in(found["g"]["k"], u.mV, [10, 30])
    assert is_in(found["k"]["k"], u.mS * u.mV, 20 * np.eye(2))


def test_arguments_with_units():
    def f(x, y):
        return x**2 * y

    found = grad(f, argnums=(0, 1), unit_aware=True)(3.0 * u.mV, 5.0 * u.second)
    assert is_in(found[0], u.mV * u.second, 30.0)
    assert is_in(found[1], u.mV**2, 9.0)


def test_lanes(v):
    found = vmap(lambda x: grad(lambda: energy(v.value) * x, v, unit_aware=True)())(jnp.arange(3.0))
    assert is_in(found, u.mV / u.mohm, np.arange(3.0)[:, None] * VOLTAGE)


def test_states_written_keep_their_units(v):
    def loss():
        v.value = v.value * 2
        return energy(v.value)

    found = grad(loss, v, unit_aware=True)()
    assert is_in(found, u.mV / u.mohm, 4 * VOLTAGE)
    assert is_in(v.value, u.mV, 2 * VOLTAGE)


def test_without_units_it_changes_nothing():
    w = ParamState(jnp.array([1.0, 2.0]))

    def loss():
        return (w.value**3).sum()

    for transform in (grad, vector_grad, jacrev, jacfwd, hessian):
        found = transform(loss, w, unit_aware=True)()
        np.testing.assert_array_equal(found, transform(loss, w, unit_aware=False)())
        assert not isinstance(found, u.Quantity)
