"""What `explain` says of a function is what happens when the function runs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import ParamState, State, environ, graph
from contract.transformations import JIT, KINDS, ROWS, name_of, some_nests, through

# Under another name where the transformation is built on another one.
KNOWN_AS = {
    "map": "for_loop",
    "checkpointed_for_loop": "checkpointed_scan",
    "ifelse": "switch",
    "for_loop with a record, within memory": "for_loop",
}


class Model(graph.Node):
    def __init__(self):
        self.count = State(jnp.zeros(2))
        self.table = State({"a": jnp.zeros(()), "b": jnp.ones(2)})
        self.gain = ParamState(jnp.ones(()))
        self.rng = brainstate.random.RandomState(0)
        self.untouched = State(jnp.ones(3))
        self.scale, self.unused = 2.0, 1.0

    def __call__(self, x):
        self.count.value = self.count.value + self.gain.value * self.scale
        self.table.value = {**self.table.value, "a": self.table.value["a"] + environ.get("dt")}
        return x * self.gain.value + self.rng.uniform()

    def all_states(self):
        return [self.count, self.table, self.gain, self.rng, self.untouched]

    def values(self):
        return [jax.tree.map(np.array, state.value) for state in self.all_states()]


def differ(old, new):
    return any(
        not np.array_equal(a, b) for a, b in zip(*map(jax.tree.leaves, (old, new)), strict=True)
    )


@pytest.mark.parametrize("rows", some_nests(ROWS), ids=name_of)
def test_named_states_are_those_that_change(rows):
    model = Model()
    runs = through(*rows)(model)
    with environ.context(dt=0.5):
        before, leaves = model.values(), jax.tree.leaves([s.value for s in model.all_states()])
        found = brainstate.explain(runs)(jnp.float32(3.0))
        now = jax.tree.leaves([s.value for s in model.all_states()])
        assert all(a is b for a, b in zip(leaves, now, strict=True))  # it only looked
        runs(jnp.float32(3.0))
    changes = [differ(old, new) for old, new in zip(before, model.values(), strict=True)]
    changed = {s for s, change in zip(model.all_states(), changes, strict=True) if change}
    assert {*found.written} == changed
    assert len(changed) == (3 if rows[-1].effects else 0)
    assert {*found.read} == {*model.all_states()} - {model.untouched}
    assert found.created == []
    names = [step.name for _, step in found.transformations]
    assert KNOWN_AS.get(rows[-1].name, rows[-1].name) in names
    assert names[0] == "jit" if rows[0] is JIT else True
    assert {*found.settings} - {"precision"} == {"dt"}
    assert any(name.endswith(".scale") for name in found.attributes)
    assert not any(name.endswith(".unused") for name in found.attributes)


@pytest.mark.parametrize("rows", some_nests(KINDS), ids=name_of)
def test_only_written_and_created(rows):
    written, node = State(0.0), graph.Node()
    repeats = any(row.repeats for row in rows)

    def body(x):
        written.value = x
        if not repeats:
            node.made = State(x)
        return x

    found = brainstate.explain(through(*rows)(body))(jnp.float32(3.0))
    assert found.written == [written]
    assert not hasattr(node, "made")
    kinds = [row.access for row in found.states]
    if repeats:
        assert kinds == ["read, write"]  # a loop or branch that does not run hands it on
    else:
        assert kinds == ["write", "create"]
        assert found.states[1].state is found.created[0]
