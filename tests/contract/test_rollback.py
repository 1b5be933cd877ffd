"""A transformation that fails changes nothing, and the same function works afterwards."""

import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
import brainstate.transform as bt
from brainstate._engine.frames import current_frame
from contract.models import Layer
from contract.transformations import PAIRS, ROWS, name_of, runs_of, some_nests, through


class Failing:
    """A body that writes whatever can be written, and then fails while `fails` is set."""

    def __init__(self):
        self.fails = True
        self.count = brainstate.State(jnp.zeros(()), name="count")
        self.tree = brainstate.State({"a": jnp.zeros(2)}, name="tree")
        self.layer, self.spare = Layer(), brainstate.ParamState(1.0)
        self.states = [self.count, self.tree, self.layer.weight]

    def __call__(self, x):
        self.count.value = self.count.value + x
        if self.fails:
            self.tree.value["a"] = self.tree.value["a"] + x
            self.tree.value["b"] = x
            self.layer.weight.value = self.layer.weight.value * x
            self.layer.mode = "broken"
            self.layer.weight = self.spare
            del self.layer.gain
            self.layer.added = 1
            raise ZeroDivisionError
        return self.count.value * x


def assert_untouched(body, values, attributes):
    for state, value in zip(body.states, values, strict=True):
        assert state.value is value
    assert sorted(body.tree.value) == ["a"]
    np.testing.assert_array_equal(body.tree.value["a"], [0.0, 0.0])
    assert vars(body.layer) == attributes
    assert current_frame() is None


@pytest.mark.parametrize("rows", [*some_nests(ROWS), *PAIRS[::2]], ids=name_of)
def test_failing_body_changes_nothing(rows):
    body = Failing()
    values = [state.value for state in body.states]
    attributes = dict(vars(body.layer))
    call = through(*rows)(body)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            call(jnp.float32(2.0))
        assert_untouched(body, values, attributes)
    body.fails = False
    call(jnp.float32(2.0))
    assert float(body.count.value) == 2.0 * runs_of(rows)


@pytest.mark.parametrize("rows", some_nests(ROWS), ids=name_of)
def test_failing_later_for_another_type_changes_nothing(rows):
    """The compiled function for the first type stays as good as it was."""
    body = Failing()
    body.fails = False
    call = through(*rows)(body)
    call(jnp.float32(2.0))
    body.fails = True
    values = [state.value for state in body.states]
    attributes = dict(vars(body.layer))
    with pytest.raises(ZeroDivisionError):
        call(jnp.float16(2.0))
    assert_untouched(body, values, attributes)
    body.fails = False
    call(jnp.float32(2.0))
    assert float(body.count.value) == 4.0 * runs_of(rows)


BRANCHES = {
    "cond": lambda f, g: bt.cond(True, f, g, 1.0),
    "switch": lambda f, g: bt.switch(1, [f, g], 1.0),
    "ifelse": lambda f, g: bt.ifelse([True, False], [f, g], 1.0),
    "while_loop": lambda f, g: bt.while_loop(lambda x: g(x) < 5.0, f, 1.0),
    "bounded_while_loop": lambda f, g: bt.bounded_while_loop(
        lambda x: g(x) < 5.0, f, 1.0, max_steps=2
    ),
}


@pytest.mark.parametrize("name", BRANCHES)
@pytest.mark.parametrize("first", [False, True])
def test_one_of_two_bodies_fails(name, first):
    """What the other one did before is taken back too."""
    layer, state = Layer(), brainstate.State(1.0)

    def good(x):
        state.value = state.value + 1.0
        layer.mode = "edited"
        return x

    def bad(x):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        BRANCHES[name](*((bad, good) if first else (good, bad)))
    assert layer.mode == "whole"
    assert state.value == 1.0
    assert current_frame() is None


def _refused(body):
    """Calls whose body succeeds and that fail afterwards, and the error that they raise."""
    x = jnp.float32(2.0)
    return {
        "grad of an array": (TypeError, lambda: bt.grad(lambda x: body(x) * jnp.ones(2))(x)),
        "grad without aux": (TypeError, lambda: bt.grad(body, has_aux=True)(x)),
        "grad of an integer": (TypeError, lambda: bt.grad(lambda x: jnp.int32(body(x)))(x)),
        "grad of an unread State": (ValueError, lambda: bt.grad(body, brainstate.State(1.0))(x)),
        "hessian of a string": (TypeError, lambda: bt.hessian(lambda x: (body(x), "a"))(x)),
        "jacfwd of a string": (TypeError, lambda: bt.jacfwd(lambda x: (body(x), "a"))(x)),
        "vjp of a string": (TypeError, lambda: bt.vjp(lambda x: (body(x), "a"), x)),
        "jvp of a string": (TypeError, lambda: bt.jvp(lambda x: (body(x), "a"), (x,), (x,))),
        "vmap of a string": (TypeError, lambda: bt.vmap(lambda x: (body(1.0), "a"))(jnp.ones(2))),
        "vmap with lanes that differ": (ValueError, lambda: bt.vmap(body)(jnp.ones(2))),
        "vmap out_axes": (ValueError, lambda: bt.vmap(lambda x: (body(1.0), x)[1], out_axes=None)(
            jnp.ones(2))),
        "pmap with lanes that differ": (ValueError, lambda: bt.pmap(body)(jnp.ones(8))),
        "jit of a string": (TypeError, lambda: bt.jit(lambda x: (body(x), "a"))(x)),
        "make_jaxpr of a string": (TypeError, lambda: bt.make_jaxpr(lambda x: (body(x), "a"))(x)),
        "eval_shape of a string": (TypeError, lambda: bt.eval_shape(lambda x: (body(x), "a"), x)),
        "checkpoint of a string": (TypeError, lambda: bt.checkpoint(lambda x: (body(x), "a"))(x)),
        "scan without a pair": (TypeError, lambda: bt.scan(lambda c, x: body(x), 0.0, jnp.ones(2))),
        "scan with another carry": (TypeError, lambda: bt.scan(
            lambda c, x: (jnp.ones(2) * body(x), x), 0.0, jnp.ones(2))),
        "checkpointed_scan without a pair": (TypeError, lambda: bt.checkpointed_scan(
            lambda c, x: body(x), 0.0, jnp.ones(2))),
        "for_loop of a string": (TypeError, lambda: bt.for_loop(
            lambda x: (body(x), "a"), jnp.ones(2))),
        "while_loop with another value": (TypeError, lambda: bt.while_loop(
            lambda x: True, lambda x: (body(x), x), x)),
        "while_loop with a writing test": (ValueError, lambda: bt.while_loop(
            lambda x: body(x) < 3.0, lambda x: x, x)),
        "cond with other types": (TypeError, lambda: bt.cond(True, body, lambda x: (x, x), x)),
        "cond that changes a State's type": (TypeError, lambda: bt.cond(
            True, lambda x: (body(x), setattr(body.count, "value", jnp.ones(2)))[0], body, x)),
    }  # fmt: skip


@pytest.mark.parametrize("inside_jit", [False, True])
@pytest.mark.parametrize("name", _refused(None))
def test_transformation_refuses_after_the_body(name, inside_jit):
    body = Editing()
    values, attributes = [body.count.value], dict(vars(body.layer))
    error, call = _refused(body)[name]
    with pytest.raises(error):
        (bt.jit(call) if inside_jit else call)()
    assert [body.count.value] == values
    assert body.count.value is values[0]
    assert vars(body.layer) == attributes
    assert current_frame() is None


class Editing:
    """A body that succeeds, and leaves an edited node behind."""

    def __init__(self):
        self.count, self.layer = brainstate.State(jnp.zeros(()), name="count"), Layer()

    def __call__(self, x):
        self.count.value = self.count.value + x
        self.layer.mode = "edited"
        self.layer.added = 1
        return self.count.value
