"""Spike-timing-dependent plasticity: the window of single pairs, and what their rate changes.

Left: the change of a weight by one pair of spikes, for each lag between them. Right: with a rule of
triplets, 60 pairs that follow each other fast strengthen a synapse whatever their order, as found
in visual cortex. All lags and rates are simulated at the same time, by `vmap`.
S. Song, K. D. Miller and L. F. Abbott (2000), Nat. Neurosci. 3, 919; J.-P. Pfister and W. Gerstner
(2006), Triplets of spikes in a model of spike timing-dependent plasticity, J. Neurosci. 26, 9673.
"""

from functools import partial
from pathlib import Path

import brainunit as u
import jax.numpy as jnp
import matplotlib.pyplot as plt

import brainstate as bst
from brainstate import nn

OUT = Path("out")
DT = 0.5 * u.ms
RATES = jnp.array([1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0]) * u.Hz


def change(make_rule, pre, post):
    """What a weight gains by two spike trains, each of shape (steps,)."""
    layer = bst.event.Linear(1, 1, jnp.zeros((1, 1)))
    rule = nn.init_all_states(make_rule(layer))
    bst.compile.for_loop(rule, pre[:, None], post[:, None])
    return layer.weight.value[0, 0]


def window(lags):
    """The change by one pair for each lag (post - pre), in steps."""
    middle = lags.max()
    steps = jnp.arange(2 * middle + 1)
    pre, post = steps == middle + 0 * lags[:, None], steps == middle + lags[:, None]
    return bst.augment.vmap(partial(change, nn.PairSTDP))(pre, post)


def by_rate(lag, pairs):
    """The change by triplets for pairs with one lag, in steps, at each of the rates."""
    periods = jnp.round(1 / (RATES * DT)).astype(int)[:, None]
    steps = jnp.arange(pairs * periods.max() + 2 * abs(lag))

    def train(first):
        since = steps - first
        return (since >= 0) & (since % periods == 0) & (since // periods < pairs)

    pre, post = train(abs(lag)), train(abs(lag) + lag)
    return bst.augment.vmap(partial(change, nn.TripletSTDP))(pre, post)


def main(pairs=60):
    """Draws both figures; returns the lags in steps and the changes by one pair."""
    lags = jnp.arange(-200, 201, 4)
    with bst.environ.context(dt=DT):
        changes = window(lags)
        orders = {"post 10 ms after pre": by_rate(20, pairs), "10 ms before": by_rate(-20, pairs)}
    print(f"one pair: from {changes.min():.4f} to {changes.max():.4f}")
    for order, found in orders.items():
        slow, fast = found[0], found[-1]
        print(f"{pairs} pairs, {order}: {slow:+.2f} at {RATES[0]}, {fast:+.2f} at {RATES[-1]}")

    OUT.mkdir(exist_ok=True)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained", dpi=150)
    left.axhline(0, color="gray", linewidth=0.8)
    left.axvline(0, color="gray", linewidth=0.8)
    left.plot(lags * DT / u.ms, changes, ".-", color="black", markersize=3)
    left.set(xlabel="post - pre (ms)", ylabel="change of the weight", title="One pair")
    right.axhline(0, color="gray", linewidth=0.8)
    for order, found in orders.items():
        right.plot(RATES.to_decimal(u.Hz), found, "o-", label=order)
    right.set(
        xlabel="rate of pairs (Hz)",
        ylabel="change of the weight",
        title=f"{pairs} pairs, triplet rule",
    )
    right.legend(frameon=False)
    figure.savefig(OUT / "stdp_window.png")
    print(f"figure: {OUT}/stdp_window.png")
    return lags, changes


if __name__ == "__main__":
    main()
