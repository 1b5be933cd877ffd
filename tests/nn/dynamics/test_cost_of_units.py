"""Units cost nothing in compiled steps, and code without them imports none."""

import subprocess
import sys
from pathlib import Path

import brainunit as u
import jax.numpy as jnp
import pytest

import brainstate
from brainstate import nn

# The model, a parameter as a plain number, and the unit of its inputs.
MODELS = [
    (nn.IF, {"tau": 5.0}, u.mA),
    (nn.LIF, {"tau": 5.0}, u.mA),
    (nn.LIFRef, {"tau": 5.0}, u.mA),
    (nn.ALIF, {"tau": 5.0}, u.mA),
    (nn.AdEx, {"V_th": 0.0}, u.pA),
    (nn.Izhikevich, {"V_th": 30.0}, u.mA),
    (nn.GIF, {"tau": 20.0}, u.mA),
    (nn.HH, {"C": 1.0}, u.uA),
    (nn.Expon, {"tau": 8.0}, u.mS),
    (nn.DualExpon, {"tau_rise": 1.0}, u.mS),
    (nn.Alpha, {"tau": 8.0}, u.mS),
    (nn.AMPA, {"T": 0.5}, None),
    (nn.STP, {"tau_d": 200.0}, None),
    (nn.STD, {"tau": 200.0}, None),
]


def equations(model, x, time):
    """How many equations a step has, those of inner functions included."""
    nn.init_all_states(model)

    def step(x):
        with brainstate.environ.context(dt=0.1 * time, t=1.0 * time):
            return model(x)

    return str(brainstate.compile.make_jaxpr(step)(x)).count(" = ")


@pytest.mark.parametrize(
    ("kind", "plain", "unit"), MODELS, ids=lambda x: getattr(x, "__name__", "")
)
def test_a_compiled_step_has_the_same_equations(kind, plain, unit):
    x = jnp.ones(3)
    without = equations(kind(3, **plain), x, 1.0)
    assert equations(kind(3), x if unit is None else x * unit, u.ms) == without > 5


def test_plain_numbers_import_no_units():
    models = ", ".join(f"nn.{kind.__name__}(2, **{plain})" for kind, plain, _ in MODELS)
    code = f"""
import sys, brainstate
from brainstate import nn
for model in ({models}):
    nn.init_all_states(model)
    with brainstate.environ.context(dt=0.1, t=1.0):
        model(1.0)
for out in (nn.COBA(0.0), nn.CUBA(1.0), nn.MgBlock()):
    out.update(1.0, -60.0)
assert "saiunit" not in sys.modules
"""
    source = Path(brainstate.__file__).parent.parent
    environment = {"PYTHONPATH": str(source), "JAX_PLATFORMS": "cpu"}
    outcome = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert outcome.returncode == 0, outcome.stderr.decode()
