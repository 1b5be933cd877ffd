"""`ProgressBar`: tqdm writes to a string here."""

import builtins
import io

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tqdm.auto

from brainstate import State
from brainstate.augment import vmap
from brainstate.compile import (
    ProgressBar,
    checkpointed_for_loop,
    checkpointed_scan,
    for_loop,
    jit,
    scan,
)


@pytest.fixture
def out():
    return io.StringIO()


@pytest.fixture
def bars(monkeypatch):
    """The bars that were opened, each with the positions that it took, closed ones with an end."""
    opened = []

    class Recording(tqdm.auto.tqdm):
        def __init__(self, **options):
            super().__init__(**{**options, "file": io.StringIO()})
            opened.append([])

        def update(self, n=1):
            super().update(n)
            opened[-1].append(self.n)

        def close(self):
            if not self.disable:
                opened[-1].append("closed")
            super().close()

    monkeypatch.setattr(tqdm.auto, "tqdm", Recording)
    return opened


def settled(bars):
    jax.effects_barrier()
    return bars


LOOPS = {
    "for_loop": lambda n, **kw: for_loop(lambda x: x * 2, jnp.arange(float(n)), **kw),
    "scan": lambda n, **kw: scan(lambda c, x: (c + x, x * 2), 0.0, jnp.arange(float(n)), **kw)[1],
    "without xs": lambda n, **kw: for_loop(lambda: 1.0, length=n, **kw) * 2 * jnp.arange(n),
    "checkpointed_for_loop": lambda n, **kw: checkpointed_for_loop(
        lambda x: x * 2, jnp.arange(float(n)), base=4, **kw
    ),
    "checkpointed_scan": lambda n, **kw: checkpointed_scan(
        lambda c, x: (c, x * 2), 0.0, jnp.arange(float(n)), base=4, **kw
    )[1],
}


@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS)
@pytest.mark.parametrize("wrap", ["eager", "jit", "disable_jit"])
def test_moves_and_ends_at_the_length(loop, wrap, bars):
    def run():
        return loop(10, pbar=ProgressBar(freq=4))

    if wrap == "disable_jit":
        with jax.disable_jit():
            found = run()
    else:
        found = jit(run)() if wrap == "jit" else run()
    np.testing.assert_array_equal(found, np.arange(10) * 2)
    assert settled(bars) == [[4, 8, 10, "closed"]]


def test_reverse_counts_steps(bars):
    pbar = ProgressBar(freq=4)
    found = for_loop(lambda x: x, jnp.arange(10), reverse=True, pbar=pbar)
    np.testing.assert_array_equal(found, np.arange(10))
    assert settled(bars) == [[4, 8, 10, "closed"]]


def test_states_and_gradients_are_untouched(bars):
    total = State(jnp.zeros(()))

    def step(x):
        total.value = total.value + x
        return total.value

    found = for_loop(step, jnp.arange(4.0), pbar=ProgressBar(count=2))
    np.testing.assert_array_equal(found, [0, 1, 3, 6])
    assert total.value == 6
    assert settled(bars) == [[2, 4, "closed"]]

    def loss(k):
        return for_loop(lambda x: x * k, jnp.arange(4.0), pbar=ProgressBar()).sum()

    assert jax.grad(loss)(2.0) == 6
    assert settled(bars)[1:] == [[1, 2, 3, 4, "closed"]]


def test_a_bar_serves_loop_after_loop(bars):
    pbar = ProgressBar(freq=2)
    for n in (4, 6):
        for_loop(lambda x: x, jnp.arange(n), pbar=pbar)
        jax.effects_barrier()
    assert bars == [[2, 4, "closed"], [2, 4, 6, "closed"]]
    compiled = jit(lambda: for_loop(lambda x: x, jnp.arange(4), pbar=pbar))
    for _ in range(2):
        compiled()
        jax.effects_barrier()
    assert bars[2:] == [[2, 4, "closed"]] * 2


def test_zero_length(bars):
    assert for_loop(lambda x: x, jnp.zeros(0), pbar=ProgressBar()).shape == (0,)
    assert settled(bars) == []


def test_lanes_share_one_bar(bars):
    def run(x):
        return for_loop(lambda y: y * x, jnp.arange(4.0), pbar=ProgressBar(freq=2)).sum()

    np.testing.assert_array_equal(vmap(run)(jnp.arange(3.0)), [0, 6, 12])
    assert settled(bars) == [[2, 4, "closed"]]


@pytest.mark.parametrize(("n", "options", "freq", "remainder"), [
    (45, {}, 2, 1),
    (45, {"count": 10}, 4, 1),
    (45, {"freq": 7}, 7, 3),
    (20, {}, 1, 0),
    (21, {}, 1, 0),
    (7, {}, 1, 0),
    (100, {}, 5, 0),
    (10, {"count": 10}, 1, 0),
    (10, {"freq": 10}, 10, 0),
])  # fmt: skip
def test_intervals(n, options, freq, remainder):
    runner = ProgressBar(**options).init(n)
    assert (runner.freq, runner.remainder, runner.n) == (freq, remainder, n)


@pytest.mark.parametrize(("options", "text"), [
    ({}, "Running for 1,200 iterations"),
    ({"desc": "Training"}, "Training"),
    ({"message": "Running the net"}, "Running the net"),
    ({"desc": "Training", "message": "Running the net"}, "Running the net"),
])  # fmt: skip
def test_text(options, text, out):
    for_loop(lambda: None, length=1200, pbar=ProgressBar(count=2, file=out, **options))
    jax.effects_barrier()
    assert f"{text}: " in out.getvalue()


def test_options_of_tqdm(out):
    pbar = ProgressBar(freq=2, file=out, unit="step", ncols=60, total=99, mininterval=100.0,
                       maxinterval=1000, miniters=50)  # fmt: skip
    for_loop(lambda: None, length=4, pbar=pbar)
    jax.effects_barrier()
    assert "4/4" in out.getvalue()
    assert "/99" not in out.getvalue()
    assert "step/s" in out.getvalue()


@pytest.mark.parametrize(("options", "n"), [
    ({"count": 11}, 10), ({"count": 0}, 10), ({"freq": 0}, 10), ({"freq": 11}, 10),
    ({"freq": -1}, 10),
])  # fmt: skip
def test_intervals_that_do_not_fit(options, n):
    ((name, value),) = options.items()
    with pytest.raises(ValueError, match=rf"ProgressBar: {name}={value} for a loop of {n} steps"):
        ProgressBar(**options).init(n)
    with pytest.raises(ValueError, match=f"{name}={value}"):
        for_loop(lambda x: x, jnp.arange(n), pbar=ProgressBar(**options))


def test_interval_given_twice():
    with pytest.raises(ValueError, match="either freq or count"):
        ProgressBar(freq=2, count=3)


def test_without_tqdm(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("tqdm"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match="ProgressBar needs tqdm: pip install tqdm"):
        ProgressBar()
