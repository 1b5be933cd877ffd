"""Threads trace and run side by side without seeing one another."""

import sys
import threading
from itertools import count

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
import brainstate.transform as bt
from brainstate._engine.frames import current_frame
from contract.transformations import EFFECTIVE, JIT

THREADS = 8


def in_threads(work, number=THREADS):
    """Run `work(0) ... work(number - 1)` at once; returns the results or raises the first error."""
    results, errors = [None] * number, []
    together = threading.Barrier(number)

    def run(i):
        try:
            together.wait()
            results[i] = work(i)
        except BaseException as error:
            errors.append(error)
            together.abort()

    threads = [threading.Thread(target=run, args=(i,)) for i in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results


@pytest.mark.parametrize("start", range(0, len(EFFECTIVE), THREADS))
def test_each_thread_traces_its_own_function(start):
    """Settings, catchers, frames and values of one thread stay out of the others."""
    pauses = [threading.Event() for _ in range(THREADS)]

    def work(i):
        row = EFFECTIVE[(start + i) % len(EFFECTIVE)]
        total = brainstate.State(jnp.float32(0.0))

        def body(x):
            # Wait inside the body until the next thread is in its body too.
            pauses[i].set()
            pauses[(i + 1) % THREADS].wait(timeout=20)
            with brainstate.environ.context(step=10.0 + i):
                local = brainstate.State(x, name=f"local {i}")
                total.value = total.value + x * brainstate.environ.get("gain")
                total.value = total.value + brainstate.environ.get("step") + 0.0 * local.value
            return total.value

        with (
            brainstate.environ.context(gain=float(i)),
            brainstate.catch_new_states(f"tag {i}") as catcher,
        ):
            call = row(body)
            for _ in range(2):
                call(jnp.float32(1.0))
            assert current_frame() is None
        assert {state.tag for state in catcher.states} == {f"tag {i}"}
        assert {state.name for state in catcher.states} == {f"local {i}"}
        assert "gain" not in brainstate.environ.all()
        return float(total.value), 2.0 * row.runs * (10.0 + 2 * i)

    for found, expected in in_threads(work):
        assert found == expected


def test_one_function_called_first_by_all_threads():
    """Shapes that touch different States, all compiled for the first time at once."""
    always, sometimes = brainstate.State(jnp.float32(1.0)), brainstate.State(jnp.float32(5.0))

    @bt.jit
    def f(x):
        extra = sometimes.value if x.shape[0] % 2 else 0.0
        return (x * always.value).sum() + extra

    def work(i):
        return [float(f(jnp.ones(n))) for n in range(i + 1, i + 4)]

    for i, found in enumerate(in_threads(work)):
        assert found == [n + 5.0 * (n % 2) for n in range(i + 1, i + 4)]


@pytest.mark.parametrize("wrap", [lambda f: f, JIT], ids=["eager", "jit"])
def test_one_function_under_settings_of_each_thread(wrap):
    call = wrap(lambda x: x * brainstate.environ.get("gain"))

    def work(i):
        found = []
        for turn in range(5):
            with brainstate.environ.context(gain=float(i + turn % 2)):
                found.append(float(call(jnp.float32(2.0))))
        return found

    for i, found in enumerate(in_threads(work)):
        assert found == [2.0 * (i + turn % 2) for turn in range(5)]


def test_eager_loop_of_each_thread_is_compiled_once():
    traces, total = count(), [brainstate.State(jnp.float32(0.0)) for _ in range(THREADS)]

    def work(i):
        def body(x):
            next(traces)
            total[i].value = total[i].value + x
            return total[i].value

        for _ in range(4):
            bt.for_loop(body, jnp.ones(3))
        return float(total[i].value)

    assert in_threads(work) == [12.0] * THREADS
    assert next(traces) == THREADS


def test_edits_in_place_of_all_threads_are_seen(eager_switching):
    """The list of containers to look at is common to all threads."""

    def work(i):
        state = brainstate.State({"w": jnp.zeros(2), "b": jnp.zeros(2)})
        call = bt.jit(lambda: state.value["w"].sum() + state.value["b"].sum())
        seen = []
        for k in range(60):
            state.value["w"] = jnp.full(2, float(k))
            seen.append(float(call()))
        return seen

    assert in_threads(work) == [[2.0 * k for k in range(60)]] * THREADS


@pytest.fixture
def eager_switching():
    """Python goes to another thread every few bytecodes, so that a race shows."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


def test_other_threads_see_no_tracer():
    """While one thread traces, the others read the value from before."""
    state = brainstate.State(jnp.float32(1.0))
    inside, looked = threading.Event(), threading.Event()

    def body(x):
        state.value = state.value + x
        inside.set()
        assert looked.wait(timeout=20)
        return state.value

    def work(i):
        if i == 0:
            return float(bt.jit(body)(jnp.float32(1.0)))
        assert inside.wait(timeout=20)
        seen = state.value
        looked.set()
        return float(seen)

    assert in_threads(work, 2) == [2.0, 1.0]


def test_draws_of_threads_differ():
    with brainstate.random.seed_context(0):
        draws = in_threads(lambda i: [float(brainstate.random.rand()) for _ in range(5)])
    assert len(np.unique(draws)) == 5 * THREADS


def test_process_settings_reach_new_threads(monkeypatch):
    monkeypatch.setattr(brainstate.environ, "_process", brainstate.environ._process)  # put back
    brainstate.environ.set(thread_probe=3)
    assert in_threads(lambda i: brainstate.environ.get("thread_probe")) == [3] * THREADS


def test_new_thread_starts_outside_every_frame():
    """A thread started inside a body is not inside it."""
    state, seen = brainstate.State(jnp.float32(1.0)), []

    def body(x):
        state.value = state.value + x
        thread = threading.Thread(target=lambda: seen.append((current_frame(), state.value)))
        thread.start()
        thread.join()
        return state.value

    bt.jit(body)(jnp.float32(1.0))
    assert seen[0][0] is None
    assert isinstance(seen[0][1], jax.Array)
    assert float(seen[0][1]) == 1.0
