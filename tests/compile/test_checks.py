"""`jit_error_if`."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from brainstate import State
from brainstate.augment import grad, vmap
from brainstate.compile import cond, for_loop, jit, jit_error_if

Failure = jax.errors.JaxRuntimeError


def run(f, *args):
    """Run to the end: an error may come with the result or with the effects."""
    out = f(*args)
    jax.block_until_ready(out)
    jax.effects_barrier()
    return out


@pytest.mark.parametrize("wrap", [lambda f: f, jit, jax.jit], ids=["eager", "jit", "jax.jit"])
class TestWrapped:
    @pytest.mark.parametrize("pred", [False, np.False_, 0, jnp.zeros(3, bool), np.zeros((2, 2))])
    def test_nothing_happens_while_all_is_well(self, wrap, pred):
        @wrap
        def f(p):
            jit_error_if(p, "never")
            return 1

        assert run(f, pred) == 1

    @pytest.mark.parametrize("pred", [True, 1, jnp.array([False, True]), np.eye(2)])
    def test_any_element_counts(self, wrap, pred):
        @wrap
        def f(p):
            jit_error_if(p, "it failed")
            return 1

        with pytest.raises(Failure, match="it failed") as caught:
            run(f, pred)
        assert "ValueError" in str(caught.value)

    @pytest.mark.parametrize(("message", "args", "kwargs", "text"), [
        ("plain", (), {}, "plain"),
        ("bad %d here", (7,), {}, "bad 7 here"),
        ("bad %.2f and %s", (0.5, 3), {}, "bad 0.50 and 3"),
        ("bad {x} here", (), {"x": 7}, "bad 7 here"),
        ("bad {x:.2f} and {y}", (), {"x": 0.5, "y": 3}, "bad 0.50 and 3"),
        ("100% wrong", (), {}, "100% wrong"),
        ("{braces} stay", (), {}, "{braces} stay"),
    ])  # fmt: skip
    def test_messages(self, wrap, message, args, kwargs, text):
        @wrap
        def f(args, kwargs):
            jit_error_if(True, message, *args, **kwargs)
            return 1

        with pytest.raises(Failure) as caught:
            run(f, args, kwargs)
        assert text in str(caught.value)

    def test_arrays_in_messages(self, wrap):
        @wrap
        def f(x):
            jit_error_if(jnp.any(x > 1), "found {x}", x=x)
            return x

        with pytest.raises(Failure, match=r"found \[0.* 2.*\]"):
            run(f, jnp.array([0.0, 2.0]))

    def test_a_function_that_raises(self, wrap):
        def complain(x, *, limit):
            raise KeyError(f"{float(x)} exceeds {float(limit)}")

        @wrap
        def f(x):
            jit_error_if(x > 1, complain, x, limit=1.0)
            return x

        assert run(f, 0.5) == 0.5
        with pytest.raises(Failure, match=r"2\.0 exceeds 1\.0") as caught:
            run(f, 2.0)
        assert "KeyError" in str(caught.value)

    def test_a_function_that_returns(self, wrap):
        called = []

        @wrap
        def f(x):
            jit_error_if(x > 1, called.append, x)
            return x

        assert run(f, 2.0) == 2
        assert [float(x) for x in called] == [2.0]


def test_one_error_for_all_lanes():
    called = []

    def f(x):
        jit_error_if(x > 1, lambda x: called.append(np.asarray(x)), x)
        return x

    run(vmap(f), jnp.array([0.0, 1.0]))
    assert called == []
    for wrapped in (vmap(f), jit(vmap(f)), jax.vmap(f)):
        called.clear()
        run(wrapped, jnp.array([0.0, 2.0, 3.0]))
        assert len(called) == 1


def test_the_lane_that_failed_is_shown():
    def f(x):
        jit_error_if(x > 1, "too large: {x}", x=x)
        return x

    for wrapped in (vmap(f), jit(vmap(f)), jax.vmap(f)):
        with pytest.raises(Failure, match=r"too large: .*2"):
            run(wrapped, jnp.array([0.0, 2.0]))


def test_in_lanes_that_fail():
    def f(x):
        jit_error_if(x > 1, "lane too large")
        return x

    np.testing.assert_array_equal(run(vmap(f), jnp.zeros(2)), [0, 0])
    with pytest.raises(Failure, match="lane too large"):
        run(vmap(f), jnp.array([0.0, 2.0]))


def test_in_branches_only_the_taken_one_counts():
    def f(x):
        def bad():
            jit_error_if(True, "taken")
            return x

        return cond(x > 1, bad, lambda: x)

    assert run(jit(f), 0.5) == 0.5
    with pytest.raises(Failure, match="taken"):
        run(jit(f), 2.0)


def test_in_loops():
    def step(x):
        jit_error_if(x > 1, "step {x}", x=x)
        return x

    np.testing.assert_array_equal(run(lambda: for_loop(step, jnp.zeros(2))), [0, 0])
    with pytest.raises(Failure, match=r"step 2"):
        run(lambda: for_loop(step, jnp.array([0.0, 2.0])))


def test_under_gradients():
    w = State(2.0)

    def f(x):
        jit_error_if(x > 5, "too large: {x}", x=x)
        return w.value * x

    assert run(grad(f, w), 3.0) == 3
    assert run(grad(f), 3.0) == 2
    with pytest.raises(Failure, match="too large: 6"):
        run(grad(f, w), 6.0)
    with pytest.raises(Failure, match="too large: 6"):
        run(jit(grad(f)), 6.0)


def test_state_values_decide_at_run_time():
    s = State(jnp.zeros(()))

    @jit
    def f():
        jit_error_if(s.value > 1, "state is {x}", x=s.value)
        s.value = s.value + 1
        return s.value

    assert [float(run(f)), float(run(f))] == [1.0, 2.0]
    with pytest.raises(Failure, match="state is 2"):
        run(f)


def test_a_failure_in_the_message_is_reported():
    with pytest.raises(Failure, match="TypeError"):
        run(lambda: jit_error_if(True, "{}", 1.0))


@pytest.mark.parametrize("error", [3, None, ValueError("made")])
def test_error_is_a_message_or_a_function(error):
    with pytest.raises(TypeError, match="jit_error_if needs a message or a function; found"):
        jit_error_if(False, error)
