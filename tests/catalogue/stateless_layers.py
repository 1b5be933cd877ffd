"""Normalization, pooling, shape layers, dropout and element-wise modules.

Those that take the same inputs stand together in one entry: to compile each alone takes long.
"""

import jax.numpy as jnp

from brainstate import nn
from brainstate import transform as bt
from catalogue.entry import Entry


class Together(nn.Module):
    """Modules side by side, each on the same inputs, and compiled at once."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = list(layers)

    @bt.jit
    def update(self, *args):
        return [layer(*args) for layer in self.layers]


class ThereAndBack(nn.Module):
    """Largest numbers, put back where they stood."""

    def __init__(self, pool, unpool):
        super().__init__()
        self.pool, self.unpool = pool(2, return_indices=True), unpool(2)

    def update(self, x):
        return self.unpool(*self.pool(x))


def element_wise():
    return Together(
        nn.CELU(2.0), nn.ELU(2.0), nn.GELU(), nn.GLU(), nn.SELU(), nn.Hardshrink(),
        nn.Hardsigmoid(), nn.Hardswish(), nn.Hardtanh(), nn.Identity(), nn.LeakyReLU(),
        nn.LogSigmoid(), nn.LogSoftmax(-1), nn.Mish(), nn.PReLU(4), nn.ReLU(), nn.ReLU6(),
        nn.Sigmoid(), nn.SiLU(),
        nn.Softmax(-1), nn.Softmax2d(), nn.Softmin(-1), nn.Softplus(), nn.Softshrink(),
        nn.Softsign(), nn.Tanh(), nn.Tanhshrink(), nn.Threshold(0.1, 2.0),
    )  # fmt: skip


def pooling():
    """Each kind once: the number of axes is the only difference between its classes."""
    return Together(
        nn.AvgPool1d(2), nn.MaxPool2d(2), nn.LPPool3d(2, 2), nn.AdaptiveAvgPool2d(2),
        nn.AdaptiveMaxPool3d(2), ThereAndBack(nn.MaxPool1d, nn.MaxUnpool1d),
        nn.Flatten(in_size=(2, 4, 2, 2)), nn.Unflatten(1, (2, 2), in_size=(2, 4, 2, 2)),
    )  # fmt: skip


def normalization():
    groups = nn.GroupNorm(4, num_groups=2)
    return Together(nn.LayerNorm(4), nn.RMSNorm(4), groups, nn.BatchNorm0d(4))


def batch_normalization():
    kinds = nn.BatchNorm0d, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d
    return Together(*(kind((2, 4, 2, 2)[3 - n :]) for n, kind in enumerate(kinds)))


def random_layers():
    """The other kinds of dropout differ from `FeatureAlphaDropout` in formulas only."""
    return Together(nn.DropoutFixed((2, 3, 4), 0.8), nn.FeatureAlphaDropout(0.8), nn.RReLU())


def fitting(value):
    return lambda: {"fit": value}


def image():
    return (jnp.cos(jnp.arange(32.0) ** 2).reshape(2, 4, 2, 2),)


def of_shape(*shape):
    return lambda: (jnp.ones(shape),)


ENTRIES = [
    Entry(
        "element-wise",
        element_wise,
        lambda: (jnp.array([-1.3, 0.3, 0.7, -0.2]).reshape(1, 1, 4),),
        wrong=(of_shape(1, 1, 6), ValueError, r"PReLU `part.layers.14`.*\(\.\.\., 4\)"),
    ),
    Entry("SpikeBitwise", nn.SpikeBitwise, lambda: (jnp.array([0.0, 1.0]), jnp.array([1.0, 1.0]))),
    Entry(
        "pooling",
        pooling,
        image,
        wrong=(of_shape(4), ValueError, r"AvgPool1d `part.layers.0`.*\(4,\)"),
    ),
    Entry(
        "normalization",
        normalization,
        lambda: (jnp.array([0.5, -1.0, 2.0, 0.2]),),
        fitting(False),
        wrong=(of_shape(3), ValueError, r"LayerNorm `part.layers.0`.*\(\.\.\., 4\)"),
    ),
    Entry(
        "BatchNorm, fitted",
        batch_normalization,
        image,
        fitting(True),
        wrong=(of_shape(2, 4, 2, 3), ValueError, r"BatchNorm0d `part.layers.0`.*\(\.\.\., 2\)"),
        batched=False,  # a batch has statistics of its own
    ),
    Entry(
        "dropout and RReLU",
        random_layers,
        lambda: (jnp.cos(jnp.arange(24.0)).reshape(2, 3, 4),),
        fitting(True),
        wrong=(of_shape(3), ValueError, r"DropoutFixed `part.layers.0`.*\(3,\)"),
        random=True,
    ),
]
