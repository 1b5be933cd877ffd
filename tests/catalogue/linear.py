"""Linear layers."""

import jax.numpy as jnp
import numpy as np
import scipy.sparse

from brainstate import nn
from catalogue.entry import Entry


def linear(name, make, *, x=(0.5, -1.0), wrong=4):
    """A layer that takes vectors; `x` is one, and a vector of length `wrong` is not."""
    text = rf"`part`.*\(\.\.\., {len(x)}\); found \({wrong},\)"
    return Entry(
        name,
        make,
        lambda: (jnp.array(x),),
        wrong=(lambda: (jnp.ones(wrong),), ValueError, text),
    )


ENTRIES = [
    linear("Linear", lambda: nn.Linear(2, 3)),
    linear("ScaledWSLinear", lambda: nn.ScaledWSLinear(2, 3)),
    linear("SignedWLinear", lambda: nn.SignedWLinear(2, 3, w_sign=np.array([[1.0], [-1.0]]))),
    linear("OneToOne", lambda: nn.OneToOne(2, b_init=1.0)),
    linear("AllToAll", lambda: nn.AllToAll(2, 3, include_self=False)),
    linear(
        "SparseLinear",
        lambda: nn.SparseLinear(scipy.sparse.csr_array([[0.0, 0.5], [2.0, 1.0]]), b_init=0.1),
    ),
    linear("LoRA", lambda: nn.LoRA(2, 1, 3, base_module=nn.Linear(2, 3))),
    Entry(
        "Embedding",
        lambda: nn.Embedding(4, 3, padding_idx=0, max_norm=0.5),
        lambda: (jnp.array([1, 0, 3]),),
        wrong=(lambda: (jnp.ones(2),), TypeError, "`part`.*integers; found float32"),
    ),
]
