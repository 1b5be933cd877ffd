import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import nn


class Integrator(nn.Dynamics):
    """Adds up its delta inputs, and current inputs times dt."""

    def variables(self):
        return {"x": nn.Variable(0.0, self.varshape)}

    def update(self, x=0.0):
        total = self.sum_current_inputs(x, self.x.value)
        self.x.value = self.sum_delta_inputs(self.x.value + 0.1 * total)
        return self.x.value


@pytest.mark.parametrize(
    ("size", "expected"), [(3, (3,)), (np.int64(2), (2,)), ([2, 3], (2, 3)), ((4,), (4,))]
)
def test_sizes(size, expected):
    cell = nn.Dynamics(size)
    assert cell.in_size == cell.out_size == cell.varshape == expected


@pytest.mark.parametrize("size", [None, (), [], "3", 2.0])
def test_sizes_are_needed(size):
    with pytest.raises(ValueError, match="size"):
        nn.Dynamics(size)


# ---------------------------------------------------------------- inputs


KINDS = [
    ("add_current_input", "sum_current_inputs", "current_inputs"),
    ("add_delta_input", "sum_delta_inputs", "delta_inputs"),
]
both = pytest.mark.parametrize(("add", "total", "table"), KINDS)


@both
def test_arrays_are_used_up_and_functions_stay(add, total, table):
    cell = nn.Dynamics(2)
    getattr(cell, add)("function", lambda v, gain=1.0: v * gain)
    getattr(cell, add)("array", np.array([1.0, 2.0]))
    assert list(getattr(cell, table)) == ["function", "array"]
    np.testing.assert_array_equal(getattr(cell, total)(10.0, 3.0, gain=2.0), [17.0, 18.0])
    assert list(getattr(cell, table)) == ["function"]
    assert getattr(cell, total)(10.0, 3.0) == 13.0


@both
def test_labels_choose(add, total, table):
    cell = nn.Dynamics(1)
    getattr(cell, add)("a", 1.0)
    getattr(cell, add)("a", 2.0, label="exc")
    getattr(cell, add)("b", 4.0, label="exc")
    getattr(cell, add)("b", 8.0, label="inh")
    assert cell.get_input("exc // a") == 2.0
    assert getattr(cell, total)(0.0, label="exc") == 6.0
    assert getattr(cell, total)(0.0) == 9.0
    assert getattr(cell, total)(0.0) == 0.0


@both
def test_taken_keys(add, total, table):
    cell = nn.Dynamics(1)
    first = jnp.ones(1)
    getattr(cell, add)("a", first)
    getattr(cell, add)("a", first)
    with pytest.raises(ValueError, match="'a'"):
        getattr(cell, add)("a", jnp.ones(1))
    getattr(cell, total)(0.0)
    getattr(cell, add)("a", jnp.ones(1))


def test_looking_up_inputs():
    cell = nn.Dynamics(1)
    cell.add_delta_input("a", 1.0)
    assert cell.get_input("a") == 1.0
    cell.add_current_input("a", 2.0)
    assert cell.get_input("a") == 2.0
    with pytest.raises(ValueError, match=r"'b'.*\['a'\]"):
        cell.get_input("b")


def test_inputs_with_units():
    cell = nn.Dynamics(1)
    cell.add_current_input("a", 1.0 * u.uA)
    total = cell.sum_current_inputs(2.0 * u.mA)
    np.testing.assert_allclose(total.to_decimal(u.mA), 2.001, rtol=1e-6)
    cell.add_current_input("a", 1.0 * u.mV)
    with pytest.raises(u.UnitMismatchError, match="a current input"):
        cell.sum_current_inputs(2.0 * u.mA)


def test_the_caller_cannot_edit_the_tables():
    cell = nn.Dynamics(1)
    cell.current_inputs["a"] = 1.0
    assert cell.sum_current_inputs(0.0) == 0.0
    with pytest.raises(TypeError):
        cell.before_updates["a"] = print


# ---------------------------------------------------------------- inputs in compiled steps


def driven(cell, drive):
    cell.add_delta_input("drive", drive)
    cell.add_current_input("current", 2 * drive)
    return cell()


def test_inputs_within_a_compiled_step():
    cell = nn.init_all_states(Integrator(2))
    traces = []

    @brainstate.compile.jit
    def step(drive):
        traces.append(1)
        return driven(cell, drive)

    for expected in (1.2, 2.4, 3.6):
        np.testing.assert_allclose(step(jnp.ones(2)), [expected] * 2, rtol=1e-6)
    assert len(traces) == 1
    assert not cell.current_inputs


def test_inputs_within_a_loop():
    cell = nn.init_all_states(Integrator(2))
    out = brainstate.compile.for_loop(lambda drive: driven(cell, drive), jnp.ones((5, 2)))
    np.testing.assert_allclose(out[:, 0], 1.2 * np.arange(1, 6), rtol=1e-6)


def test_inputs_within_vmap_and_grad():
    cell = nn.init_all_states(Integrator(2))

    def loss(drive):
        nn.reset_all_states(cell)
        return (driven(cell, drive) ** 2).sum()

    drive = jnp.arange(6.0).reshape(3, 2)
    found = brainstate.augment.grad(loss)(drive[1])
    np.testing.assert_allclose(found, 2 * 1.2**2 * drive[1], rtol=1e-5)

    batch = nn.vmap_init_all_states(Integrator(2), axis_size=3)
    out = brainstate.augment.vmap(driven)(batch, drive)
    np.testing.assert_allclose(out, 1.2 * drive, rtol=1e-6)


def test_an_input_given_outside_is_seen_by_a_compiled_step():
    cell = nn.init_all_states(Integrator(1))
    step = brainstate.compile.jit(lambda: cell())
    total = 0.0
    for kick in (None, 1.0, None, 5.0, 7.0, None):
        if kick is not None:
            cell.add_delta_input("kick", kick)
            total += kick
        np.testing.assert_allclose(step(), [total])


def test_a_function_given_later_is_seen_by_a_compiled_step():
    cell = nn.init_all_states(Integrator(1))
    step = brainstate.compile.jit(lambda: cell())
    np.testing.assert_allclose(step(), [0.0])
    cell.add_current_input("drive", lambda x: 10.0 + 0 * x)
    np.testing.assert_allclose(step(), [1.0])
    np.testing.assert_allclose(step(), [2.0])


def test_inputs_of_a_compiled_function_within_a_body():
    """The inner function is kept between the calls, and the input is another one each time."""
    cell = nn.init_all_states(Integrator(1))
    inner = brainstate.compile.jit(lambda: cell())

    @brainstate.compile.jit
    def outer(kicks):
        for kick in kicks:
            cell.add_delta_input("kick", kick)
            inner()
        return inner()

    for expected in (6.0, 12.0):
        np.testing.assert_allclose(outer(jnp.array([1.0, 2.0, 3.0])), [expected])
    assert not cell.delta_inputs


def test_an_input_is_not_added_in_every_round_of_a_loop():
    cell = nn.init_all_states(Integrator(1))

    def loop():
        return brainstate.compile.for_loop(lambda x: cell(x), jnp.zeros(3))

    def give_and_loop():
        cell.add_delta_input("kick", 1.0)
        return loop()

    for call in (give_and_loop, brainstate.compile.jit(give_and_loop)):
        with pytest.raises(ValueError, match=r"'kick'.*inside the body"):
            call()
        cell.sum_delta_inputs(0.0)
    np.testing.assert_allclose(loop()[:, 0], [0.0, 0.0, 0.0])


def test_a_failed_step_leaves_no_input_behind():
    cell = nn.init_all_states(Integrator(1))
    fails = [True]

    @brainstate.compile.jit
    def step(drive):
        cell.add_delta_input("drive", drive)
        if fails[0]:
            raise RuntimeError("midway")
        return cell()

    with pytest.raises(RuntimeError, match="midway"):
        step(jnp.ones(1))
    fails[0] = False
    for expected in (1.0, 2.0):
        np.testing.assert_allclose(step(jnp.ones(1)), [expected])
    np.testing.assert_allclose(cell(), [2.0])


def test_a_failed_step_gives_back_an_input_from_outside():
    cell = nn.init_all_states(Integrator(1))
    cell.add_delta_input("kick", 1.0)

    def fail():
        cell()
        raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        brainstate.compile.jit(fail)()
    np.testing.assert_allclose(cell(), [1.0])


# ---------------------------------------------------------------- hooks


def test_hooks_run_around_the_update():
    log = []

    class Cell(nn.Dynamics):
        def update(self, x):
            log.append(("update", x))
            return x + 1

    def takes_input(*args):
        log.append(("takes input", *args))

    def takes_nothing(*args):
        log.append(("takes nothing", *args))

    takes_input._receive_update_input = True
    takes_nothing._not_receive_update_output = True
    cell = Cell(1)
    cell.add_before_update("a", lambda *args: log.append(("before", *args)))
    cell.add_before_update("b", takes_input)
    cell.add_after_update("c", lambda *args: log.append(("after", *args)))
    cell.add_after_update("d", takes_nothing)
    assert cell(1) == 2
    assert log == [
        ("before",), ("takes input", 1), ("update", 1), ("after", 2), ("takes nothing",)
    ]  # fmt: skip
    assert cell.update(5) == 6
    assert len(log) == 6


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("prefix", ["", "_"])
def test_hooks_by_key(when, prefix):
    cell = nn.Dynamics(1)
    add, get, has = (
        getattr(cell, f"{prefix}{verb}_{when}_update") for verb in ("add", "get", "has")
    )
    assert not has("a")
    add("a", print)
    assert has("a")
    assert get("a") is print
    assert dict(getattr(cell, f"{when}_updates")) == {"a": print}
    with pytest.raises(KeyError, match="'a' is taken"):
        add("a", repr)
    with pytest.raises(KeyError, match="'b'"):
        get("b")


def test_hooks_are_part_of_the_model():
    cell = Integrator(2)
    cell.add_after_update("trace", Integrator(2))
    nn.init_all_states(cell)
    assert list(cell.states()) == [("_after_updates", "trace", "x"), ("x",)]


def test_align_pre():
    neuron = nn.init_all_states(nn.LIF(2))
    named, unnamed = Integrator(2, name="trace"), Integrator(2)
    assert neuron.align_pre(named) is named
    assert neuron.align_pre(unnamed) is unnamed
    another = Integrator(2)
    assert neuron.align_pre(another) is another
    built = neuron.align_pre(Integrator.desc(2))
    assert isinstance(built, Integrator)
    assert neuron.align_pre(Integrator.desc(2)) is built
    assert neuron.align_pre(Integrator.desc((2,))) is not built
    assert len(neuron.after_updates) == 5
    nn.init_all_states(neuron)
    with brainstate.environ.context(dt=0.1 * u.ms):
        spikes = neuron(100.0 * u.mA)
    for dyn in (named, unnamed, another, built):
        np.testing.assert_allclose(dyn.x.value, 0.1 * spikes)
    with pytest.raises(KeyError, match="trace"):
        neuron.align_pre(named)
    with pytest.raises(TypeError, match="Dynamics"):
        neuron.align_pre(nn.Linear(2, 2))


def test_repr_shows_tables_that_hold_something():
    cell = nn.Dynamics(1)
    assert repr(cell) == "Dynamics(\n  in_size=(1,),\n  out_size=(1,)\n)"
    cell.add_delta_input("kick", 1.5)
    assert "kick" not in repr(cell)
    cell.add_delta_input("drive", abs)
    assert "delta_inputs={'drive': <built-in function abs>}" in repr(cell)


def test_a_missing_state_is_explained():
    with pytest.raises(AttributeError, match=r"'V'.*init_all_states"):
        nn.LIF(2).get_spike()


def test_a_step_adds_no_attribute_facts_that_change():
    cell = nn.init_all_states(Integrator(2))
    step = brainstate.compile.jit(lambda x: cell(x))
    step(1.0)
    before = jax.tree.map(id, vars(cell))
    step(1.0)
    assert jax.tree.map(id, vars(cell)) == before
