"""What a body writes is there after the call, and is what plain Python computes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
import brainstate.transform as bt
from contract.models import Layer
from contract.transformations import (
    BY_NAME,
    EFFECTIVE,
    JIT,
    ROWS,
    name_of,
    nests,
    runs_of,
    through,
)

DECAY = 0.5


class Recurrent:
    """States of several kinds that depend on one another, and on how often the body ran."""

    def __init__(self):
        self.trace = brainstate.HiddenState(jnp.float32(1.0))
        self.tree = brainstate.State({"sum": jnp.float32(0.0), "last": [jnp.float32(0.0)]})
        self.count = brainstate.LongTermState(jnp.int32(0))
        self.plain = brainstate.State(0.0)  # a Python number
        self.layer = Layer(2.0)
        self.states = [self.trace, self.tree, self.count, self.plain, self.layer.weight]

    def __call__(self, x):
        self.trace.value = DECAY * self.trace.value + self.layer(x)
        self.count.value = self.count.value + 1
        self.count.value = self.count.value + 1  # written twice in one run
        total = self.tree.value["sum"] + self.trace.value
        self.tree.value = {"sum": total, "last": [self.trace.value]}
        self.plain.value = self.plain.value + x
        self.layer.weight.value = self.layer.weight.value + 1.0
        return total * x

    def found(self, out):
        values = [state.value for state in self.states]
        return jax.tree.map(np.asarray, (*values, out))


def in_numpy(runs, xs):
    """The values after `runs` runs for each of `xs`."""
    trace, weight, total = 1.0, 2.0, 0.0
    for x in np.repeat(xs, runs):
        trace = DECAY * trace + weight * x
        weight, total, out = weight + 1, total + trace, (total + trace) * x
    tree = {"sum": total, "last": [trace]}
    return trace, tree, 2 * runs * len(xs), runs * sum(xs), weight, out


@pytest.mark.parametrize("rows", nests(EFFECTIVE), ids=name_of)
def test_effects_are_those_of_plain_python(rows):
    body = Recurrent()
    call = through(*rows)(body)
    xs = [1.5, -0.5]
    for calls in (1, 2):
        found = body.found(call(jnp.float32(xs[calls - 1])))
        expected = in_numpy(runs_of(rows), xs[:calls])
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), found, expected)
        assert body.count.value.dtype == jnp.int32


@pytest.mark.parametrize("rows", nests([r for r in ROWS if not r.effects]), ids=name_of)
def test_looking_at_a_body_changes_nothing(rows):
    body = Recurrent()
    before = [state.value for state in body.states]
    through(*rows)(body)(jnp.float32(2.0))
    assert all(s.value is value for s, value in zip(body.states, before, strict=True))


@pytest.mark.parametrize("rows", nests(EFFECTIVE), ids=name_of)
def test_only_what_is_written_changes(rows):
    """A State read in the body, and one never seen, keep the very object they hold."""
    read, unseen = brainstate.State(jnp.ones(2)), brainstate.State({"a": jnp.ones(2)})
    values = read.value, unseen.value
    through(*rows)(lambda x: (read.value * x).sum())(jnp.float32(2.0))
    assert read.value is values[0]
    assert unseen.value is values[1]


@pytest.mark.parametrize("row", EFFECTIVE, ids=name_of)
def test_writes_in_one_transformation_reach_the_next(row):
    """The body is called twice in one program, through the transformation, beside plain writes."""
    count = brainstate.State(jnp.zeros(()))

    def add(x):
        count.value = count.value + x
        return count.value

    part = row(add)

    @bt.jit
    def program(x):
        part(x)
        count.value = count.value * 10.0
        part(x)
        return count.value

    expected = row.runs * 2.0 * 11.0
    assert float(program(jnp.float32(2.0))) == expected
    assert float(count.value) == expected


@pytest.mark.parametrize("row", [r for r in EFFECTIVE if r.name != "while_loop"], ids=name_of)
def test_derivatives_pass_through_a_state(row):
    """A loss that is stored in a State inside, and read outside."""
    weight, stored = brainstate.ParamState(jnp.float32(3.0)), brainstate.State(jnp.float32(1.0))

    def body(x):
        stored.value = stored.value * weight.value * x
        return stored.value

    def loss(x):
        row(body)(x)
        return stored.value * weight.value

    n = row.runs
    stops_x = row.name == "bounded_while_loop"
    gradients = bt.jit(bt.grad(loss, weight, argnums=0))(jnp.float32(2.0))
    expected = (n + 1) * 3.0**n * 2.0**n, 0.0 if stops_x else n * 3.0 ** (n + 1) * 2.0 ** (n - 1)
    np.testing.assert_allclose(gradients, expected, rtol=1e-5)
    np.testing.assert_allclose(stored.value, 6.0**n, rtol=1e-5)


def test_remat_is_checkpoint():
    assert bt.remat is BY_NAME["checkpoint"].whole
    assert bt.jit is JIT.whole
