"""`ProgressBar`: tqdm writes to a string here."""

import builtins
import io
import sys
import types

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tqdm.auto

from brainstate import State
from brainstate.augment import grad, pmap, vmap
from brainstate.compile import (
    ProgressBar,
    bounded_while_loop,
    checkpoint,
    checkpointed_for_loop,
    checkpointed_scan,
    for_loop,
    jit,
    jit_error_if,
    scan,
    while_loop,
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
            self.log = []
            super().__init__(**{**options, "file": io.StringIO(), "disable": False})
            opened.append(self.log)

        def update(self, n=1):
            super().update(n)
            self.log.append(self.n)

        def set_postfix_str(self, text, refresh=True):
            super().set_postfix_str(text, refresh)
            self.log.append(text)

        def close(self):
            if not self.disable:
                self.log.append("closed")
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


WRAPS = {
    "plain": lambda run: run(3.0),
    "jit": lambda run: jit(run)(3.0),
    "disable_jit": jax.disable_jit()(lambda run: run(3.0)),
    "grad": lambda run: grad(run)(3.0),
    "vmap": lambda run: vmap(run)(jnp.array([2.0, 4.0])),
    "jit of vmap of grad": lambda run: jit(vmap(grad(run)))(jnp.array([2.0, 4.0])),
    "checkpoint": lambda run: checkpoint(run)(3.0),
}


@pytest.mark.parametrize("wrap", WRAPS)
def test_metrics_of_each_loop_under_each_transformation(wrap, bars):
    total = State(jnp.zeros(()))
    pbar = ProgressBar(freq=2, metrics=lambda: {"sum": total.value})

    def step(x):
        total.value = total.value + x
        return total.value

    def run(x):
        loops = (
            lambda: for_loop(lambda i: step(x), jnp.arange(5), pbar=pbar)[-1],
            lambda: scan(lambda c, i: (c, step(x)), 0, jnp.arange(5), pbar=pbar)[1][-1],
            lambda: checkpointed_for_loop(lambda i: step(x), jnp.arange(5), base=2, pbar=pbar)[-1],
            lambda: bounded_while_loop(
                lambda i: i < 5, lambda i: i + 0 * step(x) + 1, 0.0, max_steps=9, base=3, pbar=pbar
            ),
        )
        out = 0.0
        for loop in loops:
            total.value = jnp.zeros(())
            out = out + loop()
        total.value = jnp.zeros(())
        return out

    WRAPS[wrap](run)
    # x is 3, or 3 on average over the lanes; the last loop may take 9 steps, and takes 5
    ends = [["sum=6", 2, "sum=12", 4, "sum=15", 5, "closed"]] * 3
    ends += [["sum=6", 2, "sum=12", 4, 5, "closed"]]
    assert sorted(settled(bars), key=len) == sorted(ends, key=len)


def test_devices_share_bars_that_they_begin_together(bars):
    found = pmap(lambda x: for_loop(lambda i: x * i, jnp.arange(4), pbar=ProgressBar(freq=2)))(
        jnp.arange(8)
    )
    np.testing.assert_array_equal(found, np.outer(np.arange(8), np.arange(4)))
    assert 1 <= len(settled(bars)) <= 8
    assert all(bar[-1] == "closed" for bar in bars)


def test_a_backward_pass_that_computes_again_shows_nothing(bars):
    def loss(k):
        pbar = ProgressBar(freq=2)
        ys = checkpointed_for_loop(lambda x: jnp.sin(k * x), jnp.arange(9.0), base=2, pbar=pbar)
        end = bounded_while_loop(
            lambda v: v < 100, lambda v: v * k, ys[0] + 1, max_steps=40, base=2, pbar=pbar
        )
        return ys.sum() + end

    jit(grad(loss))(2.0)
    assert settled(bars) == [[2, 4, 6, 8, 9, "closed"], [2, 4, 6, 7, "closed"]]


def test_a_while_loop_counts_without_an_end(bars):
    def run(x):
        return while_loop(lambda i: i < 5 + x, lambda i: i + 1, 0, pbar=ProgressBar(
            freq=3, metrics=lambda i: {"i": i}
        ))  # fmt: skip

    assert run(2) == 7
    assert settled(bars) == [["i=3", 3, "i=6", 6, 7, "closed"]]
    np.testing.assert_array_equal(vmap(run)(jnp.array([0, 4])), [5, 9])
    assert settled(bars)[1][-2:] == [9, "closed"]
    with jax.disable_jit():
        run(0)
    assert bars[2] == ["i=3", 3, 5, "closed"]


def test_metrics_see_the_output_of_the_step_and_units(bars):
    pbar = ProgressBar(freq=1, metrics=lambda y: {"V": y["V"].mean(), "n": y["n"], "on": True})
    for_loop(lambda x: {"V": x * jnp.ones(3) * u.mV, "n": 7}, jnp.array([-55.25, 1e-7]), pbar=pbar)
    assert settled(bars) == [
        ["V=-55.25 mV, n=7, on=True", 1, "V=1e-07 mV, n=7, on=True", 2, "closed"]
    ]


def test_equal_bars_compile_a_loop_once(bars):
    traces, k = [], State(2.0)

    def body(x):
        traces.append(1)
        return x * k.value

    for _ in range(3):
        pbar = ProgressBar(freq=2, desc="again", metrics=lambda: {"k": k.value})
        for_loop(body, jnp.arange(4.0), pbar=pbar)
    assert len(traces) == 1
    assert settled(bars) == [["k=2", 2, "k=2", 4, "closed"]] * 3
    for_loop(body, jnp.arange(4.0), pbar=ProgressBar(freq=4, desc="again"))
    assert settled(bars)[3:] == [[4, "closed"]]


def test_a_loop_twice_in_one_program_has_two_bars(bars):
    pbar = ProgressBar(freq=2)

    def loop(xs):
        return for_loop(lambda x: x + 1, xs, pbar=pbar)

    jit(lambda: loop(loop(jnp.arange(4))))()
    assert settled(bars) == [[2, 4, "closed"]] * 2


def test_a_run_that_failed_leaves_no_bar_behind(bars):
    fails = State(True)

    def body(x):
        jit_error_if(fails.value & (x == 2), "Stop here.")
        return x

    run = jit(lambda: for_loop(body, jnp.arange(4), pbar=ProgressBar(freq=1)))
    with pytest.raises(Exception, match="Stop here"):
        jax.block_until_ready(run())
    fails.value = False
    run()
    assert [bar[-1] for bar in settled(bars)] == ["closed", "closed"]
    assert bars[1] == [1, 2, 3, 4, "closed"]


@pytest.mark.parametrize(("metrics", "error", "text"), [
    (lambda: 3.0, TypeError, r"must be a dict .* found float32\[\]"),
    (lambda: {"V": jnp.ones(3)}, ValueError, r"'V' .* shape \(3,\).*jnp.mean"),
    (lambda: {"V": None}, TypeError, "'V' .* is no number; found None"),
])  # fmt: skip
def test_metrics_that_a_bar_cannot_show(metrics, error, text):
    with pytest.raises(error, match=text):
        for_loop(lambda x: x, jnp.arange(4), pbar=ProgressBar(metrics=metrics))


def test_metrics_may_only_read():
    seen = State(0)

    def metrics():
        seen.value += 1
        return {}

    with pytest.raises(ValueError, match=r"metrics of a ProgressBar write State .*only read"):
        for_loop(lambda x: x, jnp.arange(4), pbar=ProgressBar(metrics=metrics))
    assert seen.value == 0


def test_what_is_no_bar_or_no_metrics():
    with pytest.raises(TypeError, match="scan: pbar must be a ProgressBar; found True"):
        for_loop(lambda x: x, jnp.arange(4), pbar=True)
    with pytest.raises(TypeError, match=r"metrics must be a function .* found 'loss'"):
        ProgressBar(metrics="loss")
    with pytest.raises(ValueError, match="while_loop takes freq"):
        while_loop(lambda i: i < 3, lambda i: i + 1, 0, pbar=ProgressBar(count=3))


class Screen(io.StringIO):
    def __init__(self, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal


@pytest.mark.parametrize("place", ["pipe", "terminal", "notebook"])
def test_silent_unless_somebody_sees_it(place, monkeypatch):
    shell = types.SimpleNamespace(kernel=object() if place == "notebook" else None)
    ipython = types.SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    screen = Screen(place == "terminal")
    monkeypatch.setattr(sys, "stderr", screen)
    for_loop(lambda x: x, jnp.arange(4), pbar=ProgressBar(freq=2))
    jax.effects_barrier()
    assert ("4/4" in screen.getvalue()) == (place != "pipe")
    for_loop(lambda x: x, jnp.arange(6), pbar=ProgressBar(freq=2, disable=True))
    assert "6/6" not in screen.getvalue()


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
    with pytest.raises(ValueError, match=rf"{name}={value} must be between 1 and the {n} steps"):
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
