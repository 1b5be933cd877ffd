import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import nn

G, V = np.array([0.5, 1.0, 2.0]), np.array([-70.0, -20.0, 15.0])


def test_currents():
    np.testing.assert_allclose(nn.COBA(-10.0).update(G, V), G * (-10 - V))
    np.testing.assert_allclose(nn.CUBA(2.0).update(G, V), 2 * G)
    np.testing.assert_allclose(nn.CUBA(2.0).update(G), 2 * G)
    expected = G * (5 - V) / (1 + 1.0 / 3.0 * np.exp(-0.1 * (V - 2)))
    block = nn.MgBlock(E=5.0, cc_Mg=1.0, alpha=0.1, beta=3.0, V_offset=2.0)
    np.testing.assert_allclose(block.update(G, V), expected, rtol=1e-6)


def test_reference_value_of_the_magnesium_block():
    np.testing.assert_allclose(nn.MgBlock().update(1.0, -60.0), 4.03487, rtol=2e-6)


@pytest.mark.parametrize("volt", [u.mV, u.volt])
def test_currents_with_units(volt):
    g, v = G * u.mS, (V * u.mV).in_unit(volt)
    coba, cuba = nn.COBA(-10.0 * u.mV), nn.CUBA(3.0 * u.mV)
    np.testing.assert_allclose(coba.update(g, v).to_decimal(u.uA), G * (-10 - V), rtol=1e-6)
    np.testing.assert_allclose(cuba.update(g).to_decimal(u.uA), 3 * G, rtol=1e-6)
    np.testing.assert_allclose(nn.CUBA().update(g, v).to_decimal(u.mA), G, rtol=1e-6)
    expected = nn.MgBlock().update(G, V)
    for block in (
        nn.MgBlock(E=0.0 * u.mV),
        nn.MgBlock(E=0.0 * u.volt, cc_Mg=1.2 * u.mM, beta=3.57 * u.mM, alpha=62.0 / u.volt),
    ):
        np.testing.assert_allclose(block.update(g, v).to_decimal(u.uA), expected, rtol=1e-5)


def test_wrong_units_are_named():
    with pytest.raises(u.UnitMismatchError, match="potential given to COBA"):
        nn.COBA(0.0 * u.mV).update(1.0, -60.0)
    with pytest.raises(u.UnitMismatchError, match="the potential"):
        nn.MgBlock().update(1.0, -60.0 * u.mV)
    with pytest.raises(u.UnitMismatchError, match=r"alpha \* \(V_offset - V\)"):
        nn.MgBlock(E=0.0 * u.mV, alpha=1.0 * u.mV).update(1.0, -60.0 * u.mV)
    with pytest.raises(u.UnitMismatchError, match="cc_Mg / beta"):
        nn.MgBlock(cc_Mg=1.0 * u.mM).update(1.0, -60.0)


# ---------------------------------------------------------------- binding


def test_an_unbound_output_says_what_to_do():
    owner = nn.Module()
    owner.out = out = nn.COBA(0.0)
    with pytest.raises(ValueError, match=r"COBA `out` of Module.*bind_cond"):
        out(-60.0)
    out.bind_cond(1.0)
    assert out(-60.0) == 60.0
    out.unbind_cond()
    with pytest.raises(ValueError, match="bind_cond"):
        out(-60.0)


def test_what_a_body_binds_ends_with_it():
    out, traces = nn.COBA(0.0), []

    @brainstate.compile.jit
    def step(g):
        traces.append(1)
        out.bind_cond(g)
        return out(-60.0)

    with jax.checking_leaks():
        assert step(1.0) == 60.0
    assert step(2.0) == 120.0
    assert len(traces) == 1
    with pytest.raises(ValueError, match="bind_cond"):
        out(-60.0)
    out.bind_cond(5.0)
    assert step(3.0) == 180.0
    assert out(-60.0) == 300.0
    assert len(traces) == 1


def test_a_binding_outside_is_seen_by_a_compiled_step():
    out = nn.COBA(0.0)
    step = brainstate.compile.jit(lambda: out(-60.0))
    for g in (1.0, 2.0):
        out.bind_cond(g)
        assert step() == 60.0 * g
    out.unbind_cond()
    with pytest.raises(ValueError, match="bind_cond"):
        step()


def test_inner_bodies_see_what_outer_ones_bind():
    out = nn.COBA(0.0)
    inner = brainstate.compile.jit(lambda: out(-60.0))

    @brainstate.compile.jit
    def outer(gs):
        currents = []
        for g in gs:
            out.bind_cond(g)
            currents.append(inner())
        return jnp.stack(currents)

    for gs in (jnp.arange(3.0), jnp.arange(1.0, 4.0)):
        np.testing.assert_array_equal(outer(gs), 60 * gs)


def test_a_body_does_not_see_what_an_inner_one_bound():
    out = nn.COBA(0.0)

    def inner(g):
        out.bind_cond(g)
        return out(-60.0)

    def outer(gs):
        brainstate.augment.vmap(inner)(gs)
        return out(-60.0)

    out.bind_cond(7.0)
    with pytest.raises(ValueError, match="bind_cond"):
        brainstate.compile.jit(outer)(jnp.ones(2))
    found = brainstate.compile.for_loop(inner, jnp.arange(3.0))
    np.testing.assert_array_equal(found, [0.0, 60.0, 120.0])
    assert brainstate.augment.grad(inner)(1.0) == 60.0
