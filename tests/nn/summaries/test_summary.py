"""`summary`: shapes, sizes and operations of a model, counted by hand."""

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
import brainstate.transform as bt
from brainstate import event, nn


class Twice(nn.Module):
    """Two layers in a list, the second of them called twice and shared under another name."""

    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(3, 4), nn.Linear(4, 4)]
        self.tied = self.layers[1]
        self.count = brainstate.LongTermState(0)

    def update(self, x):
        self.count.value += 1
        return self.tied(self.layers[1](self.layers[0](x)))


class Network(nn.Module):
    """Spikes through drawn synapses into neurons with units."""

    def __init__(self):
        super().__init__()
        self.synapses = brainstate.event.FixedNumConn(20, 5, 3, 0.1 * u.mA, seed=0)
        self.dense = brainstate.event.Linear(20, 5, jnp.ones((20, 5)) * u.mA)
        self.neurons = nn.LIF(5)

    def update(self, spikes):
        return self.neurons(self.synapses(spikes) + self.dense(spikes))


def by_path(summary):
    return {row.path: row for row in summary.modules}


def matmul(batch, n, m):
    return 2 * batch * n * m


def test_rows_of_a_model():
    model = Twice()
    before = [state.value for state in model.states().values()]
    found = nn.summary(model, jax.ShapeDtypeStruct((2, 3), jnp.float32))
    assert all(s.value is v for s, v in zip(model.states().values(), before, strict=True))
    assert found.states == dict(model.states())
    rows = by_path(found)
    assert set(rows) == set(model.nodes())
    first, second, whole = rows["layers", 0], rows["layers", 1], found.total
    assert [row.kind for row in found.modules] == ["Twice", "Linear", "Linear"]
    assert [row.parameters for row in found.modules] == [36, 16, 20]
    assert [row.bytes for row in found.modules] == [148, 64, 80]
    assert (first.calls, second.calls, whole.calls) == (1, 2, 1)
    assert first.flops == matmul(2, 3, 4) + 2 * 4
    assert second.flops == 2 * (matmul(2, 4, 4) + 2 * 4)
    assert whole.flops == first.flops + second.flops + 1  # the counter
    assert second.outputs[0].shape == (2, 4)
    assert whole.synaptic_operations is None
    text = repr(found)
    assert text.startswith("Twice: 36 parameters, 148 B in all States, 201 FLOPs a call")
    assert "    layers.1  Linear ×2  (2, 4) float32  20" in text
    assert "layers.1.weight['bias']" in text
    assert "Linear ×2</td>" in found._repr_html_()


def test_synaptic_operations_and_units():
    model = Network()
    nn.init_all_states(model, batch_size=4)
    spikes = jnp.zeros((4, 20), bool)
    with brainstate.environ.context(dt=0.1 * u.ms):
        found = nn.summary(model, spikes, activity=0.25)
        most = nn.summary(model, spikes)
    rows = by_path(found)
    assert rows["synapses",].synaptic_operations == 4 * 20 * 3 * 0.25
    assert rows["dense",].synaptic_operations == 4 * 20 * 5 * 0.25
    assert most.total.synaptic_operations == 4 * 20 * 8
    assert rows["synapses",].outputs[0].unit == "mA"
    assert rows["neurons",].synaptic_operations is None
    assert rows["neurons",].flops > 0
    assert "640 synaptic operations a call" in repr(most)


def test_loops_and_calls_that_depend_on_their_caller():
    cell = nn.GRUCell(2, 3)
    nn.init_all_states(cell)

    class Sequence(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = cell

        def update(self, xs):
            return bt.for_loop(self.cell, xs)

    found = nn.summary(Sequence(), jnp.ones((7, 2)))
    assert found.total.outputs[0].shape == (7, 3)
    rows = by_path(found)
    assert rows["cell",].outputs[0].shape == (3,)
    assert rows["cell",].flops >= matmul(1, 5, 6) + matmul(1, 5, 3)
    np.testing.assert_array_equal(cell.h.value, np.zeros(3))


def test_without_inputs_only_sizes_are_told():
    found = nn.summary(Twice())
    assert (found.total.parameters, found.total.calls, found.total.outputs) == (36, 0, ())
    assert "FLOPs" not in repr(found)
    parts = brainstate.graph.Dict(a=nn.Linear(1, 1), b=nn.Linear(1, 2))
    assert [row.parameters for row in nn.summary(parts).modules] == [6, 2, 4]


def test_other_nodes_and_outputs():
    model = brainstate.graph.Sequential(nn.Linear(2, 3), lambda x: {"a": x, "b": x[0]})
    found = nn.summary(model, jnp.ones(2))
    assert [x.shape for x in found.total.outputs] == [(3,), ()]
    assert found.total.flops == by_path(found)["layers", 0].flops == matmul(1, 2, 3) + 3


def test_errors_name_the_cure():
    with pytest.raises(TypeError, match="takes a module"):
        nn.summary(lambda x: x)
    with pytest.raises(ValueError, match="activity"):
        nn.summary(Twice(), activity=2)
    with pytest.raises(AttributeError, match="init_all_states"):
        nn.summary(nn.GRUCell(2, 3), jnp.ones(2))
    with pytest.raises(TypeError, match="cannot be called"):
        nn.summary(brainstate.graph.Dict(), 1)
    model = Twice()
    with pytest.raises(ValueError, match="3"):
        nn.summary(model, jnp.ones((2, 5)))
    assert int(model.count.value) == 0
    assert nn.module.call_observer.get() is None


def test_synapses_of_a_projection_are_seen():
    """A projection adds what arrives in place, without a call of its layer, if nobody looks on."""
    neurons = nn.LIF(5)
    net = nn.Sequential(
        nn.AlignPostProj(
            comm=event.FixedNumConn(20, 5, 3, 1.0 * u.mS),
            syn=nn.Expon.desc(5),
            out=nn.CUBA.desc(),
            post=neurons,
        )
    )
    nn.init_all_states((net, neurons))
    with brainstate.environ.context(dt=0.1 * u.ms):
        found = nn.summary(net, jnp.zeros(20))
    assert found.total.synaptic_operations == 20 * 3
