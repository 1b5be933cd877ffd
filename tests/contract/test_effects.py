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
    some_nests,
    through,
)

DECAY = 0.5


class Recurrent:
    """States of several kinds that depend on one another, and on how often the body ran."""

    def __init__(self):
        self.trace = brainstate.HiddenState(jnp.float32(1.0))
        self.tree = brainstate.State({"sum": jnp.float32(0.0), "last": [jnp.float32(0.0)]})
        self.count = brainstate.LongTermState(jnp.int32(0))
        self.sum = brainstate.State(np.float32(0.0))
        self.layer = Layer(2.0)
        self.runs = 0
        self.states = [self.trace, self.tree, self.count, self.sum, self.layer.weight]

    def __call__(self, x):
        self.runs += 1
        self.trace.value = DECAY * self.trace.value + self.layer(x)
        self.count.value = self.count.value + 1
        self.count.value = self.count.value + 1  # written twice in one run
        total = self.tree.value["sum"] + self.trace.value
        self.tree.value = {"sum": total, "last": [self.trace.value]}
        self.sum.value = self.sum.value + x
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
    """And Python runs the body once for the first call, and not again once compiled."""
    body = Recurrent()
    call = through(*rows)(body)
    xs = [1.5, -0.5]
    for calls in (1, 2):
        found = body.found(call(jnp.float32(xs[calls - 1])))
        expected = in_numpy(runs_of(rows), xs[:calls])
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), found, expected)
        assert body.count.value.dtype == jnp.int32
        settled = rows[0].keeps and not rows[-1].spreads
        assert body.runs == (1 if settled else calls)


@pytest.mark.parametrize("rows", nests([r for r in ROWS if not r.effects]), ids=name_of)
def test_looking_at_a_body_changes_nothing(rows):
    body = Recurrent()
    call = through(*rows)(body)
    before = [state.value for state in body.states]
    call(jnp.float32(2.0))
    assert all(s.value is value for s, value in zip(body.states, before, strict=True))
    assert body.runs == 1
    call(jnp.float32(2.0))
    assert body.runs == (1 if rows[0].keeps else 2)


@pytest.mark.parametrize("rows", some_nests(EFFECTIVE), ids=name_of)
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


@pytest.mark.parametrize("rows", some_nests(EFFECTIVE), ids=name_of)
def test_python_numbers_may_be_values(rows):
    """They are weakly typed, and become arrays when written."""
    number, integer, pair = brainstate.State(0.5), brainstate.State(1), brainstate.State((1, 2.0))

    def body(x):
        number.value = number.value + x
        integer.value = integer.value + 1
        pair.value = (pair.value[0], pair.value[1] * 2)
        return x

    call = through(*rows)(body)
    for runs in (runs_of(rows), 2 * runs_of(rows)):
        call(jnp.float32(1.0))
        assert (float(number.value), int(integer.value)) == (0.5 + runs, 1 + runs)
        assert [float(x) for x in pair.value] == [1.0, 2.0 ** (1 + runs)]
        assert jnp.result_type(integer.value) == jnp.int32


@pytest.mark.parametrize("row", [BY_NAME["pmap"]], ids=name_of)
def test_spread_states_settle(row):
    """JAX compiles once for values on one device and once for values on all, and then no more."""
    body = Recurrent()
    call = row(body)
    for runs in (1, 2, 2, 2):
        call(jnp.float32(1.0))
        assert body.runs == runs


def test_remat_is_checkpoint():
    assert bt.remat is BY_NAME["checkpoint"].whole
    assert bt.jit is JIT.whole
