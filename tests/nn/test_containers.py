import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import nn


class Sizeless(nn.Module):
    def update(self, x):
        return x.ravel()


class Double(nn.ElementWiseBlock):
    def update(self, x):
        return 2 * x


def test_layers_are_called_in_order():
    a, b = nn.Linear(2, 4), nn.Linear(4, 3)
    net = nn.Sequential(a, jax.nn.relu, Double(), b)
    x = jnp.array([1.0, -2.0])
    np.testing.assert_allclose(net(x), b(2 * jax.nn.relu(a(x))), rtol=1e-6)
    assert (net.in_size, net.out_size) == ((2,), (3,))
    assert list(net.states()) == [("layers", 0, "weight"), ("layers", 3, "weight")]
    assert len(net) == 4
    assert list(net) == net.layers


def test_descriptions_get_the_size_that_reaches_them():
    net = nn.Sequential(
        nn.Linear(2, 4), Double(), jnp.tanh, nn.Linear.desc(out_size=5), nn.Linear.desc(out_size=6)
    )
    assert [layer.in_size for layer in (net[3], net[4])] == [(4,), (5,)]
    assert net.out_size == (6,)
    with pytest.raises(ValueError, match="size of its input"):
        nn.Sequential(Sizeless(), nn.Linear.desc(out_size=5))


def test_unknown_sizes_are_none():
    assert nn.Sequential(nn.Linear(2, 4), Sizeless()).out_size is None
    assert nn.Sequential(Double()).out_size is None
    assert nn.Sequential(jnp.tanh, nn.Linear(2, 3)).in_size is None
    assert nn.Sequential(jnp.tanh, nn.Linear(2, 3)).out_size == (3,)


def test_indexing():
    net = nn.Sequential(nn.Linear(2, 4), Double(), nn.Linear(4, 3))
    assert net[0] is net.layers[0]
    assert net[-1] is net.layers[2]
    head = net[:2]
    assert isinstance(head, nn.Sequential)
    assert head.layers == net.layers[:2]
    assert head.out_size == (4,)
    assert net[[0, 2]].layers == [net[0], net[2]]
    assert net[0, 2].layers == [net[0], net[2]]
    with pytest.raises(KeyError, match="'a'"):
        net["a"]


@pytest.mark.parametrize("wrong", [3, None, [jnp.tanh]])
def test_what_is_no_layer(wrong):
    with pytest.raises(TypeError, match="layer is a module"):
        nn.Sequential(nn.Linear(2, 3), wrong)


def test_gradients_reach_all_layers():
    net = nn.Sequential(nn.Linear(2, 4), jnp.tanh, nn.Linear(4, 3))
    x = jnp.ones(2)
    grads = brainstate.augment.grad(lambda: net(x).sum(), net.states())()

    def plain(first, second):
        return (jnp.tanh(x @ first["weight"] + first["bias"]) @ second["weight"]).sum()

    expected = jax.grad(plain, (0, 1))(net[0].weight.value, net[2].weight.value)
    for index, truth in zip((0, 2), expected, strict=True):
        found = grads["layers", index, "weight"]["weight"]
        np.testing.assert_allclose(found, truth["weight"], rtol=1e-5)
