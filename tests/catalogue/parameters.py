"""Constrained parameters, and their regularisations, those of the same inputs in one entry."""

import jax.numpy as jnp

from brainstate import nn
from brainstate import transform as bt
from catalogue.entry import Entry


class Constrained(nn.Module):
    """Parameters in ranges of several kinds."""

    def __init__(self):
        super().__init__()
        first = jnp.array([0.2, 0.3, 0.5])
        kinds = nn.SigmoidT(0.0, 1.0), nn.SimplexT(), nn.MaskedT([True, False, True], nn.ExpT(0.0))
        self.params = [nn.Param(first, t=t, reg=nn.L2Reg()) for t in kinds]
        self.fixed = nn.Const(first)

    def update(self, x):
        return x * sum((p() for p in self.params), start=self.fixed()), self.reg_loss()


class Losses(nn.Module):
    """Several losses of one matrix of positive numbers."""

    def __init__(self):
        super().__init__()
        self.regs = [
            *(nn.SpectralNormReg(), nn.HorseshoeReg()),
            nn.ChainedReg(nn.GaussianReg(fit_hyper=True), nn.GammaReg(fit_hyper=True)),
        ]

    @bt.jit
    def update(self, x):
        return [reg(x) for reg in self.regs]


ENTRIES = [
    Entry("Param", Constrained, lambda: (jnp.array([1.0, -0.5, 2.0]),)),
    Entry(
        "Regularization",
        Losses,
        lambda: (jnp.array([[0.1, 0.5, 0.9], [0.3, 2.0, 0.4]]),),
        batched=False,  # a loss is one number for all elements
    ),
]
