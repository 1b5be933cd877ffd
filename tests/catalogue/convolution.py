"""Convolutions and padding; those over more axes are the same classes with another number."""

import jax.numpy as jnp

from brainstate import nn
from catalogue.entry import Entry

SIZE = (4, 2)


def spatial(name, make, **options):
    """A layer over one axis of length 4, with two channels."""
    return Entry(
        name,
        make,
        lambda: (jnp.sin(jnp.arange(8.0)).reshape(SIZE),),
        wrong=(
            lambda: (jnp.ones((4, 1)),),
            ValueError,
            r"`part`.*\(\.\.\., 4, 2\); found \(4, 1\)",
        ),
        **options,
    )


ENTRIES = [
    spatial("Conv1d", lambda: nn.Conv1d(SIZE, 4, 3, stride=2, groups=2, b_init=0.1)),
    spatial("ScaledWSConv1d", lambda: nn.ScaledWSConv1d(SIZE, 3, 3, padding="VALID")),
    spatial("ConvTranspose1d", lambda: nn.ConvTranspose1d(SIZE, 4, 3, 2, groups=2, b_init=0.1)),
    # padding keeps the type of what it is given
    spatial("ConstantPad1d", lambda: nn.ConstantPad1d(1, 0.5, SIZE), follows_precision=False),
    spatial("ReflectionPad1d", lambda: nn.ReflectionPad1d(2, SIZE), follows_precision=False),
]
