"""Modules and methods of all modules, once for each lane; modules under settings of their own."""

import brainunit as u
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import HiddenState, ParamState, ShortTermState, environ, init, nn
from brainstate import transform as bt

N = 3


class Accumulator(nn.Module):
    """Adds up its inputs times a weight, from a random value on."""

    def __init__(self):
        super().__init__()
        self.in_size = self.out_size = 2
        self.weight = ParamState(jnp.array([1.0, 2.0]))

    def variables(self):
        return {"total": nn.Variable(init.Normal(), (2,), HiddenState)}

    def update(self, x):
        self.total.value += self.weight.value * x
        return self.total.value


class Late(nn.Module):
    @nn.call_order(3)
    def init_state(self, batch_size=None, **kwargs):
        self.h = HiddenState(brainstate.random.rand())

    def update(self, x):
        return x + self.h.value


X = jnp.arange(2.0 * N).reshape(N, 2)


def test_map_keeps_states_by_lane_and_shares_weights():
    net = nn.init_all_states(nn.Map(nn.Sequential(Accumulator(), Late()), N))
    total, late = net.module.layers[0].total, net.module.layers[1].h
    start = np.asarray(total.value)
    assert start.shape == (N, 2)
    assert late.value.shape == (N,)
    assert len(np.unique(start)) == 2 * N  # each lane drew its own numbers
    assert net.module.layers[0].weight.value.shape == (2,)
    assert (net.in_size, net.out_size) == ((2,), None)

    step = bt.jit(lambda x: net(x))
    weight = np.array([1.0, 2.0])
    expected = start + weight * X + np.asarray(late.value)[:, None]
    np.testing.assert_allclose(step(X), expected, rtol=1e-6)
    np.testing.assert_allclose(step(X), expected + weight * X, rtol=1e-6)
    gradient = bt.grad(lambda: net(X).sum(), net.states(ParamState))()
    np.testing.assert_allclose(gradient["module", "layers", 0, "weight"], X.sum(0), rtol=1e-6)

    nn.reset_all_states(net)
    assert total.value.shape == (N, 2)
    assert net.module.layers[0].total is total


def test_map_by_tag_and_with_a_batch():
    net = nn.init_all_states(nn.Map(Accumulator(), N, init_state_tag="lane"), batch_size=4)
    assert net.module.total.tag == "lane"
    assert net.module.total.value.shape == (N, 4, 2)
    assert net(jnp.ones((N, 4, 2))).shape == (N, 4, 2)
    nn.reset_all_states(net, batch_size=4)
    assert net.module.total.value.shape == (N, 4, 2)


def test_vmap_of_a_module():
    cell = nn.vmap_init_all_states(Accumulator(), axis_size=N)
    start = np.asarray(cell.total.value)
    found = nn.Vmap(cell, vmap_states=ShortTermState, in_axes=1, out_axes=1)(X.T)
    np.testing.assert_allclose(found, (start + X * np.array([1.0, 2.0])).T, rtol=1e-6)
    with pytest.raises(brainstate.util.BatchAxisError, match="total"):
        nn.Vmap(nn.init_all_states(Accumulator()))(X)
    for kind in (nn.Vmap, lambda m: nn.Map(m, 2), nn.EnvironContext):
        with pytest.raises(TypeError, match="a module; found 3"):
            kind(3)


def test_call_all_fns():
    log = []

    class Part(nn.Module):
        def note(self, *args, **kwargs):
            log.append((self.name, args, kwargs))

    class LatePart(Part):
        note = nn.call_order(1)(lambda self, *args, **kwargs: Part.note(self, *args, **kwargs))

    net = Part("net")
    net.a, net.b, net.plain = LatePart("late"), Part("part"), nn.Module()
    with pytest.raises(AttributeError, match=r"Module at \('plain',\) has no method `note`"):
        nn.call_all_fns(net, "note")
    assert log == []
    assert nn.call_all_fns(net, "note", (1,), {"k": 2}, fn_if_not_exist="pass") is net
    assert log == [(name, (1,), {"k": 2}) for name in ("part", "net", "late")]
    log.clear()
    nn.call_all_fns(net, "note", node_to_exclude=lambda path, node: path in [("plain",), ("b",)])
    assert [name for name, *_ in log] == ["net", "late"]
    with pytest.raises(ValueError, match="'raise' or 'pass'; found 'skip'"):
        nn.call_all_fns(net, "note", fn_if_not_exist="skip")


def test_vmap_call_all_fns():
    net = Accumulator()
    nn.vmap_call_all_fns(net, "init_state", axis_size=N, state_tag="lane")
    assert net.total.tag == "lane"
    before = np.asarray(net.total.value)
    assert len(np.unique(before)) == 2 * N
    nn.vmap_call_all_fns(net, "reset_state", axis_size=N, state_tag="lane")
    assert net.total.value.shape == (N, 2)
    assert not np.isin(net.total.value, before).any()
    nn.vmap_call_all_fns(net, "update", (jnp.zeros(2),), axis_size=N)
    assert net.total.value.shape == (N, 2)


def test_environ_context():
    class Step(nn.Module):
        def update(self, x):
            return x * environ.get_dt() if environ.get("fit") else x

    step = nn.EnvironContext(Step(), fit=True, dt=0.5)
    compiled = bt.jit(lambda x: step(x))
    with environ.context(fit=False, dt=2.0):
        assert compiled(3.0) == 1.5
        step.add_context(dt=0.25)
        assert compiled(3.0) == 0.75
        assert environ.get_dt() == 2.0
    lif = nn.EnvironContext(nn.LIF(3), dt=0.1 * u.ms)
    nn.init_all_states(lif)
    assert (lif.in_size, lif.out_size) == ((3,), (3,))
    assert list(lif.states()) == [("layer", "V")]
    assert lif(jnp.ones(3) * u.mA).shape == (3,)
