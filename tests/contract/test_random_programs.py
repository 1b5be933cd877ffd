"""Random programs: transformations nested and in sequence, against NumPy."""

import types

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import brainstate
from contract.transformations import BY_NAME, EFFECTIVE, JIT

# A program is a list of steps: ("write", i), ("edit",), ("swap", i, j), ("out", i), or
# ("under", row name, program).
STATES = 3
INDEX = st.integers(0, STATES - 1)
STEP = st.one_of(
    st.tuples(st.just("write"), INDEX),
    st.tuples(st.just("edit")),
    st.tuples(st.just("swap"), INDEX, INDEX),
    st.tuples(st.just("out"), INDEX),
)
NAMES = st.sampled_from([row.name for row in EFFECTIVE if row.name != "pmap"])


def under(inner):
    return st.tuples(st.just("under"), NAMES, inner)


FLAT = st.lists(STEP, min_size=1, max_size=3)
NESTED = st.lists(st.one_of(STEP, under(FLAT)), min_size=1, max_size=3)
PROGRAMS = st.tuples(STEP, under(NESTED), STEP, under(NESTED))
CHANGES = st.lists(st.sampled_from(["write", "replace", "factor", "edit"]), max_size=2)


class Machine:
    """Runs a program on States, through the transformations that it names."""

    def __init__(self):
        self.model = brainstate.graph.Node()
        self.model.states = [brainstate.State(jnp.float32(i + 1.0)) for i in range(STATES)]
        self.model.factor = 0.5
        self.table = brainstate.State({"a": jnp.float32(0.5), "b": [jnp.float32(0.25)]})

    def change(self, kind):
        """What a user does between two calls."""
        match kind:
            case "write":
                self.model.states[0].value = jnp.float32(0.75)
            case "replace":
                self.model.states[1] = type(self.model.states[1])(jnp.float32(1.25))
            case "factor":
                self.model.factor = 0.25
            case "edit":
                self.table.value["a"] = jnp.float32(1.5)

    def run(self, program, x):
        for step in program:
            x = self.step(step, x)
        return x

    def step(self, step, x):
        match step:
            case ("write", i):
                state = self.model.states[i]
                state.value = self.model.factor * state.value + 0.25 * x
            case ("edit",):
                table = self.table.value
                table["a"], table["b"][0] = table["b"][0], 0.5 * table["a"] + 0.125 * x
            case ("swap", i, j):
                a, b = self.model.states[i], self.model.states[j]
                a.value, b.value = b.value, a.value
            case ("out", i):
                x = 0.5 * x + 0.5 * self.model.states[i].value * self.table.value["a"]
            case ("under", name, inner):
                x = BY_NAME[name](lambda x: self.run(inner, x))(x)
        return x

    def values(self, out):
        values = [*[state.value for state in self.model.states], self.table.value, out]
        return np.array([float(leaf) for leaf in jax.tree.leaves(values)])


class InNumpy(Machine):
    """The same on plain variables, with loops for transformations."""

    class Variable:
        def __init__(self, value):
            self.value = value

    def __init__(self):
        states = [self.Variable(np.float32(i + 1.0)) for i in range(STATES)]
        self.model = types.SimpleNamespace(states=states, factor=0.5)
        self.table = self.Variable({"a": np.float32(0.5), "b": [np.float32(0.25)]})

    def step(self, step, x):
        match step:
            case ("under", name, inner):
                for _ in range(BY_NAME[name].runs):
                    out = self.run(inner, x)
                return out
            case _:
                return np.float32(super().step(step, np.float32(x)))


@settings(max_examples=15)
@given(PROGRAMS, CHANGES)
def test_random_programs_do_what_plain_python_does(program, changes):
    """Eager and compiled, called again after changes from outside."""
    for wrap in (lambda f: f, JIT):
        machine, truth = Machine(), InNumpy()
        call = wrap(lambda x: machine.run(program, x))  # noqa: B023
        for change in ("nothing", *changes):
            machine.change(change)
            truth.change(change)
            found = machine.values(call(jnp.float32(1.0)))
            np.testing.assert_allclose(found, truth.values(truth.run(program, 1.0)), rtol=1e-4)
