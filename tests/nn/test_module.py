import copy
import pickle

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import graph, nn


class Cell(nn.Module):
    def __init__(self, name=None):
        super().__init__(name=name)
        self.w = brainstate.ParamState(jnp.ones(2))

    def init_state(self, *args, **kwargs):
        self.h = brainstate.HiddenState(jnp.zeros(2))

    def update(self, x, scale=1.0):
        return self.w.value * x * scale


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = brainstate.State(0.0)
        self.b = brainstate.ParamState(1.0)
        self.l = nn.Linear(2, 2)
        self.l2 = self.l
        self.d = {"x": nn.Linear(2, 2), "y": [brainstate.State(2.0)]}


def test_a_call_runs_update():
    np.testing.assert_array_equal(Cell()(3.0, scale=2.0), [6.0, 6.0])
    with pytest.raises(NotImplementedError, match=r"Module must define update"):
        nn.Module()(1.0)


@pytest.mark.parametrize("left", [2.0, np.ones(2), np.float32(3.0), jnp.ones(2), jnp.float32(2.0)])
def test_shift_operator_calls_the_module(left):
    calls = []

    class Spy(nn.Module):
        def update(self, x):
            calls.append(x)
            return "out"

    assert left >> Spy() == "out"
    assert calls[0] is left


def test_shift_operator_chains_on_numpy_arrays():
    first, second = nn.Linear(2, 3), nn.Linear(3, 4)
    x = np.arange(2.0)
    out = x >> first >> second
    np.testing.assert_allclose(out, second(first(jnp.asarray(x))), rtol=1e-6)


def test_names():
    assert Cell().name is None
    assert Cell(name="soma").name == "soma"
    with pytest.raises(AttributeError):
        Cell().name = "soma"
    with pytest.raises(TypeError, match="3"):
        Cell(name=3)


@pytest.mark.parametrize(
    ("size", "expected"),
    [(3, (3,)), (np.int64(3), (3,)), ((2, 3), (2, 3)), ([np.int32(2), 3], (2, 3)), (None, None)],
)
def test_sizes(size, expected):
    cell = Cell()
    assert cell.in_size is None
    assert cell.out_size is None
    cell.in_size = size
    cell.out_size = size
    assert cell.in_size == expected
    assert cell.out_size == expected


@pytest.mark.parametrize("wrong", ["3", 2.5, (2, "3"), jnp.ones(2)])
def test_sizes_that_are_none(wrong):
    with pytest.raises(ValueError, match="size"):
        Cell().in_size = wrong
    with pytest.raises(ValueError, match="size"):
        Cell().out_size = wrong


def test_states_by_path():
    net = Net()
    expected = [("a",), ("b",), ("d", "x", "weight"), ("d", "y", 0), ("l", "weight")]
    assert list(net.states()) == expected
    assert list(net.states(allowed_hierarchy=(0, 0))) == [("a",), ("b",), ("d", "y", 0)]
    params, rest = net.states(brainstate.ParamState, ...)
    assert list(params) == [("b",), ("d", "x", "weight"), ("l", "weight")]
    assert list(rest) == [("a",), ("d", "y", 0)]
    assert net.states()["l", "weight"] is net.l.weight


def test_nodes_by_path():
    net = Net()
    assert list(net.nodes()) == [("d", "x"), ("l",), ()]
    assert list(net.nodes(allowed_hierarchy=(1, 1))) == [("d", "x"), ("l",)]
    assert net.nodes()[()] is net


def test_level_is_deprecated():
    net = Net()
    with pytest.warns(DeprecationWarning, match=r"allowed_hierarchy=\(0, 0\)"):
        assert list(net.states(level=0)) == [("a",), ("b",), ("d", "y", 0)]
    with pytest.warns(DeprecationWarning, match="deprecated"):
        assert list(net.nodes(level=0)) == [()]


def test_state_trees():
    net = Net()
    trees = net.state_trees()
    assert trees["l"]["weight"].type is brainstate.ParamState
    assert len(jax.tree.leaves(trees)) == 7
    params, rest = net.state_trees(brainstate.ParamState, ...)
    assert "a" in rest
    assert "a" not in params


def test_initial_states_are_no_ops():
    module = nn.Module()
    assert module.init_state(3, a=1) is None
    assert module.reset_state(3, a=1) is None


def test_a_subclass_may_forget_the_base_class():
    class Forgetful(nn.Module):
        def __init__(self):
            self.w = brainstate.ParamState(1.0)

    module = Forgetful()
    assert (module.name, module.in_size, module.out_size) == (None, None, None)
    module.in_size = 3
    assert module.in_size == (3,)
    assert list(module.states()) == [("w",)]


def test_repr():
    class Plain(nn.Module):
        def __init__(self, name=None):
            super().__init__(name=name)
            self.factor = 2

    assert repr(nn.ElementWiseBlock()) == "ElementWiseBlock()"
    assert repr(Plain()) == "Plain(\n  factor=2\n)"
    assert repr(Plain(name="p")) == "Plain(\n  name='p',\n  factor=2\n)"
    layer = nn.Linear(2, 3, w_init=0.0, b_init=None)
    assert repr(layer) == (
        "Linear(\n"
        "  in_size=(2,),\n"
        "  out_size=(3,),\n"
        "  w_mask=None,\n"
        "  weight=ParamState(\n"
        "    value={'weight': Array([[0., 0., 0.],\n"
        "           [0., 0., 0.]], dtype=float32)}\n"
        "  )\n"
        ")"
    )


@pytest.mark.parametrize(
    "renew", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x)), graph.clone]
)
@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Linear(2, 3),
        lambda: nn.Sequential(nn.Linear(2, 3), abs, nn.Linear(3, 2)),
        lambda: nn.init_all_states(nn.LIF(3)),
        lambda: nn.init_all_states(nn.LIFRef(3)),
        lambda: nn.init_all_states(nn.ALIF(3)),
    ],
)
def test_copies_are_equal_and_independent(make, renew):
    module = make()
    new = renew(module)
    before = nn.save_all_states(module)
    assert jax.tree.all(jax.tree.map(jnp.array_equal, nn.save_all_states(new), before))
    assert repr(new).splitlines()[:3] == repr(module).splitlines()[:3]
    for state in new.states().values():
        state.value = jax.tree.map(lambda x: x + 1, state.value)
    assert jax.tree.all(jax.tree.map(jnp.array_equal, nn.save_all_states(module), before))
    for old, now in zip(*map(jax.tree.leaves, (before, nn.save_all_states(new))), strict=True):
        np.testing.assert_array_equal(now, old + 1)


def test_a_deep_copy_runs():
    neuron = nn.init_all_states(nn.LIF(3))
    new = copy.deepcopy(neuron)
    with brainstate.environ.context(dt=0.1 * u.ms):
        new(100.0 * u.mA)
    assert new.V.value.mantissa[0] > 1
    assert neuron.V.value.mantissa[0] == 0
