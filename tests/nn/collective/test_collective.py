import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import nn


def recorder(log, name, level=None):
    class Recorder(nn.Module):
        def init_state(self, *args, **kwargs):
            log.append((name, args, kwargs))

        def reset_state(self, *args, **kwargs):
            log.append((f"reset {name}", args, kwargs))

    if level is not None:
        for method in ("init_state", "reset_state"):
            setattr(Recorder, method, nn.call_order(level)(getattr(Recorder, method)))
    return Recorder()


def nested(log):
    top = recorder(log, "top")
    top.late = recorder(log, "late", level=3)
    top.middle = recorder(log, "middle", level=2)
    top.plain = recorder(log, "plain")
    top.plain.inner = recorder(log, "inner")
    top.shared = [top.plain.inner]
    return top


@pytest.mark.parametrize(
    ("call", "prefix"), [(nn.init_all_states, ""), (nn.reset_all_states, "reset ")]
)
def test_order_and_arguments(call, prefix):
    log = []
    target = nested(log)
    assert call(target, 4, a=1) is target
    names = [prefix + name for name in ("inner", "plain", "top", "middle", "late")]
    assert log == [(name, (4,), {"a": 1}) for name in names]


def test_excluded_nodes_are_skipped():
    log = []
    target = nested(log)
    nn.init_all_states(target, exclude=lambda path, node: "inner" in path or path == ("late",))
    assert [name for name, *_ in log] == ["plain", "top", "middle"]
    log.clear()
    nn.init_all_states(target, exclude=nn.Module)
    assert log == []


def test_containers_of_modules_are_targets():
    log = []
    nn.init_all_states({"b": recorder(log, "b"), "a": [recorder(log, "a")]})
    assert [name for name, *_ in log] == ["a", "b"]


def test_levels_of_the_call_order():
    with pytest.raises(ValueError, match=r"\[0, 10\); found 10"):
        nn.call_order(nn.MAX_ORDER)
    with pytest.raises(ValueError, match="-1"):
        nn.call_order(-1)
    marked = nn.call_order(20, check_order_boundary=False)(lambda: None)
    assert marked.call_order == 20


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 3)
        self.neurons = nn.LIF(3, V_initializer=brainstate.init.Uniform(0.0, 1.0, unit=u.mV))
        self.seen = brainstate.LongTermState(jnp.zeros((), jnp.int32))

    def update(self, x):
        self.seen.value += 1
        return self.neurons(self.layer(x) * u.mA)


def test_init_makes_new_states_and_reset_keeps_them():
    net = nn.init_all_states(Net())
    first = net.neurons.V
    nn.reset_all_states(net)
    assert net.neurons.V is first
    with brainstate.catch_new_states("new") as catcher:
        nn.init_all_states(net, batch_size=2)
    assert net.neurons.V is not first
    assert catcher.states == [net.neurons.V]
    assert net.neurons.V.tag == "new"
    assert net.neurons.V.value.shape == (2, 3)


def test_compiled_steps_follow_a_new_initialisation():
    net = nn.init_all_states(Net())
    step = brainstate.compile.jit(lambda x: net(x))
    with brainstate.environ.context(dt=0.1 * u.ms):
        step(jnp.ones(2))
        nn.init_all_states(net)
        before = net.neurons.V.value
        step(jnp.ones(2))
    assert not np.array_equal(net.neurons.V.value.mantissa, before.mantissa)


# ---------------------------------------------------------------- lanes


def test_vmap_init_and_reset():
    brainstate.random.seed(0)
    net = nn.vmap_init_all_states(Net(), axis_size=4, state_tag="new")
    V = net.neurons.V
    assert V.tag == "new"
    assert V.value.shape == (4, 3)
    assert len(np.unique(V.value.mantissa)) == 12
    assert net.layer.weight.value["weight"].shape == (2, 3)
    before = V.value
    for options in ({}, {"state_tag": "new"}):
        assert nn.vmap_reset_all_states(net, axis_size=4, **options) is net
        assert net.neurons.V is V
        assert V.value.shape == (4, 3)
        assert len(np.unique(np.concatenate([V.value.mantissa, before.mantissa]))) == 24


def test_vmap_init_with_exclusions():
    net = Net()
    nn.vmap_init_all_states(net, axis_size=4, node_to_exclude=nn.LIF)
    assert not hasattr(net.neurons, "V")
    flat = nn.LIF(3)
    nn.vmap_init_all_states(flat, axis_size=4, state_to_exclude=brainstate.HiddenState)
    assert flat.V.value.shape == (3,)
    batched = nn.vmap_init_all_states(nn.LIF(3), 2, axis_size=4)
    assert batched.V.value.shape == (4, 2, 3)


# ---------------------------------------------------------------- saving and loading


def test_round_trip():
    source, target = nn.init_all_states(Net()), nn.init_all_states(Net())
    saved = nn.save_all_states(source)
    assert list(saved) == [("layer", "weight"), ("neurons", "V"), ("seen",)]
    assert nn.load_all_states(target, saved) == ([], [])
    for path, value in nn.save_all_states(target).items():
        if path == ("layer", "weight"):
            np.testing.assert_array_equal(value["weight"], saved[path]["weight"])
        else:
            np.testing.assert_array_equal(u.get_mantissa(value), u.get_mantissa(saved[path]))
    assert target.neurons.V.value.unit == u.mV


def test_missing_and_unexpected_paths():
    net = nn.init_all_states(Net())
    result = nn.load_all_states(net, {("seen",): 3, ("other",): 1.0})
    assert result.missing_keys == [("layer", "weight"), ("neurons", "V")]
    assert result.unexpected_keys == [("other",)]
    assert net.seen.value == 3
    assert nn.assign_state_values(net, {("other",): 1.0}, {("seen",): 4}, {("seen",): 5}) == (
        [("other",)],
        [("layer", "weight"), ("neurons", "V")],
    )
    assert net.seen.value == 5


def test_values_are_converted():
    net = nn.init_all_states(Net())
    nn.load_all_states(
        net,
        {
            ("seen",): np.float64(7.0),
            ("neurons", "V"): np.array([1.0, 2.0, 3.0]) * 1e-3 * u.volt,
            ("layer", "weight"): {"weight": np.ones((2, 3)), "bias": np.arange(3)},
        },
    )
    assert net.seen.value.dtype == jnp.int32
    assert net.neurons.V.value.unit == u.mV
    np.testing.assert_allclose(net.neurons.V.value.mantissa, [1, 2, 3], rtol=1e-6)
    assert net.layer.weight.value["bias"].dtype == jnp.float32


@pytest.mark.parametrize(
    ("path", "value", "error", "message"),
    [
        (("layer", "weight"), jnp.ones((2, 3)), ValueError, "layer.weight"),
        (
            ("layer", "weight"),
            {"weight": jnp.ones((3, 2)), "bias": jnp.ones(3)},
            ValueError,
            r"layer.weight.*\(2, 3\).*\(3, 2\)",
        ),
        (("neurons", "V"), jnp.ones(3), u.UnitMismatchError, "neurons.V"),
        (("neurons", "V"), jnp.ones(3) * u.mA, u.UnitMismatchError, "neurons.V"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_loaded(path, value, error, message):
    net = nn.init_all_states(Net())
    with pytest.raises(error, match=message):
        nn.load_all_states(net, {("seen",): 3, path: value})
    assert net.seen.value == 0


@pytest.mark.parametrize("make_key", [jax.random.key, jax.random.PRNGKey])
def test_generators_are_saved_too(make_key):
    class Noisy(nn.Module):
        def __init__(self, seed):
            super().__init__()
            self.rng = brainstate.random.RandomState(make_key(seed))

    source, target = Noisy(0), Noisy(1)
    nn.load_all_states(target, nn.save_all_states(source))
    np.testing.assert_array_equal(target.rng.normal(size=3), source.rng.normal(size=3))
