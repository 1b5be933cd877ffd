"""Nothing leaks: no tracer out of a body, and no model out of reach of the garbage collector."""

import gc
import weakref

import jax
import jax.numpy as jnp
import pytest

import brainstate
import brainstate.transform as bt
from contract.models import Layer
from contract.transformations import JIT, KINDS, ROWS, name_of, nests, some_nests, through


def assert_collected(references):
    gc.collect()
    alive = [name for name, reference in references.items() if reference() is not None]
    assert not alive


def watch(**objects):
    return {name: weakref.ref(obj) for name, obj in objects.items()}


@pytest.fixture(scope="module", autouse=True)
def _small_heap():
    """What is there already needs no look by the collector, which runs often here."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


class Model(brainstate.graph.Node):
    """Owns a part that knows its owner, and States of several kinds."""

    def __init__(self):
        self.layer = Layer(2.0)
        self.layer.owner = self  # a parent pointer
        self.trace = brainstate.HiddenState(jnp.zeros(2))
        self.table = brainstate.State({"a": jnp.zeros(2), "b": [jnp.ones(())]})
        self.rng = brainstate.random.RandomState(0)

    def __call__(self, x):
        self.trace.value = self.trace.value + self.layer(x)
        table = self.table.value
        self.table.value = {**table, "a": table["a"] + x * self.layer.owner.layer.gain}
        return self.trace.value.sum() * x

    def parts(self):
        return watch(
            model=self, layer=self.layer, weight=self.layer.weight, trace=self.trace,
            table=self.table, rng=self.rng,
        )  # fmt: skip


@pytest.mark.parametrize("rows", some_nests(ROWS), ids=name_of)
def test_no_tracer_leaks(rows):
    layer = Layer()

    def body(x):
        if not rows[-1].repeats:
            layer.hidden = brainstate.HiddenState(x)
        with brainstate.environ.context(t=x):
            layer.weight.value = layer.weight.value + brainstate.environ.get("t")
        return x

    with jax.checking_leaks():
        through(*rows)(body)(jnp.float32(1.0))


@pytest.mark.parametrize("rows", some_nests(ROWS), ids=name_of)
def test_model_that_a_body_closed_over_is_collected(rows):
    """Also for eager loops, whose programs are kept for the next call."""

    def use(model):
        call = through(*rows)(lambda x: model(x))
        for _ in range(2):
            call(jnp.float32(1.0))
        return model.parts()

    assert_collected(use(Model()))


@pytest.mark.parametrize("rows", some_nests(ROWS), ids=name_of)
def test_model_that_is_itself_the_body_is_collected(rows):
    model = Model()
    parts = model.parts()
    through(*rows)(model)(jnp.float32(1.0))
    del model
    assert_collected(parts)


ARGUMENTS = {
    "first": (lambda model, x: model(x), lambda call, model: call(model, jnp.float32(1.0))),
    "second": (lambda x, model: model(x), lambda call, model: call(jnp.float32(1.0), model)),
    "keyword": (lambda x, model: model(x), lambda call, model: call(1.0, model=model)),
    "in a tree": (lambda x, d: d["m"][0](x), lambda call, model: call(1.0, {"m": [model]})),
    "twice": (lambda a, b, x: a(x) + b(x), lambda call, model: call(model, model, 1.0)),
    "State": (lambda s, x: s.value.sum() * x, lambda call, model: call(model.trace, 1.0)),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_model_given_to_a_compiled_function_is_collected(name):
    body, use = ARGUMENTS[name]
    call = bt.jit(body)
    for _ in range(2):
        model = Model()
        parts = model.parts()
        for _ in range(2):
            use(call, model)
        del model
        assert_collected(parts)


def test_many_models_leave_nothing_behind():
    call = bt.jit(lambda model, x: model.layer(x))
    call(Model(), 1.0)
    gc.collect()
    before = sum(isinstance(obj, Model) for obj in gc.get_objects())
    for _ in range(20):
        call(Model(), 1.0)
    gc.collect()
    assert sum(isinstance(obj, Model) for obj in gc.get_objects()) <= before


MAPPED = {
    "vmap": lambda model: bt.vmap(lambda m, x: m.layer.weight.value * x, in_axes=(None, 0))(
        model, jnp.ones(2)
    ),
    "pmap": lambda model: bt.pmap(lambda m, x: m.layer.weight.value * x, in_axes=(None, 0))(
        model, jnp.ones(8)
    ),
    "vmap_new_states": lambda model: bt.vmap_new_states(
        lambda: setattr(model, "new", brainstate.State(jnp.ones(2))), axis_size=2
    )(),
    "grad": lambda model: bt.grad(lambda: model(jnp.float32(1.0)), model.layer.weight)(),
    "clone": brainstate.graph.clone,
    "split": lambda model: brainstate.graph.treefy_merge(*brainstate.graph.treefy_split(model)),
    "returned by jit": lambda model: bt.jit(lambda: model)(),
    "made by jit": lambda model: bt.jit(lambda: [Layer(1.0), model])(),
}


@pytest.mark.parametrize("name", MAPPED)
def test_model_used_once_is_collected(name):
    model = Model()
    parts = model.parts()
    MAPPED[name](model)
    del model
    assert_collected(parts)


@pytest.mark.parametrize("rows", nests(KINDS), ids=name_of)
def test_values_are_released(rows):
    """Old values of a State live no longer than it takes to replace them."""
    state = brainstate.State({"a": jnp.zeros(3)})

    def body(x):
        state.value = {"a": state.value["a"] + x}
        return x

    call = through(*rows)(body)
    call(jnp.float32(1.0))
    old = weakref.ref(state.value["a"])
    call(jnp.float32(1.0))
    call(jnp.float32(1.0))
    gc.collect()
    assert old() is None


def test_value_of_a_deleted_state_is_released():
    """Even if its container was handed out, and nobody calls anything anymore."""

    def use(state):
        bt.jit(lambda: state.value["a"] * 2.0)()
        return watch(a=state.value["a"], c=state.value["b"]["c"])

    leaves = use(brainstate.State({"a": jnp.zeros(3), "b": {"c": jnp.ones(3)}}))
    assert_collected(leaves)


def test_arguments_and_results_are_released():
    """Neither jit nor an eager loop keeps what went through it."""
    call = bt.jit(lambda x: x * 2.0)

    def loop(xs):
        return bt.for_loop(lambda x: x * 2.0, xs)

    for function in (call, loop):
        x = jnp.arange(3.0) + 1.0
        y = function(x)
        references = watch(x=x, y=y)
        del x, y
        assert_collected(references)


def test_state_made_in_a_body_is_collected_with_its_owner():

    def use(layer):
        @bt.jit
        def init(x):
            layer.hidden = brainstate.HiddenState(x * 1.0)

        init(jnp.ones(2))
        return watch(hidden=layer.hidden, layer=layer, value=layer.hidden.value)

    assert_collected(use(Layer()))


def test_jitted_function_is_collected():
    state = brainstate.State(jnp.ones(2))

    def body():
        state.value = state.value * 2.0

    call = JIT(body)
    call()
    references = watch(body=body, call=call)
    del body, call
    assert_collected(references)
