"""Compiled code follows whatever its body looked at, and is compiled no more often than that."""

import collections
import functools
import gc
from itertools import count

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
import brainstate.transform as bt
from contract.transformations import BY_NAME, JIT, KINDS, ROWS, name_of, through

KEPT = [row for row in ROWS if row.keeps]
LOOPS = [row for row in KEPT if row.repeats]


def counted(counter):
    """How often `next` was called on an `itertools.count`, which no guard looks into."""
    return int(repr(counter).removeprefix("count(").removesuffix(")"))


class Part(brainstate.graph.Node):
    offset = 1.0  # a default for all of the class

    def __init__(self, factor):
        self.factor = factor


class World(brainstate.graph.Node):
    """A body that looks at everything there is to look at."""

    def __init__(self):
        self.state = brainstate.State(jnp.float32(2.0))
        self.other = brainstate.State(jnp.float32(7.0))
        self.part, self.spare = Part(3.0), Part(5.0)
        self.gain = 1.5
        self.sizes = [1.0, 2.0]
        self.options = {"a": 1.0, "deep": [1.0, {"b": 2.0}]}
        self.flags = {"fast"}
        self.sign = np.negative
        self.runs = count()

    def __call__(self, x):
        next(self.runs)
        total = sum(jnp.sum(u.get_mantissa(v)) for v in jax.tree.leaves(self.state.value))
        total = total * np.prod([len(jax.tree.leaves(self.state.value)), self.gain, *self.sizes])
        total = total * self.options["a"] * self.options["deep"][1]["b"]
        total = total * (2.0 if "fast" in self.flags else 1.0) * float(self.sign(1.0))
        total = total * (self.part.factor + self.part.offset)
        total = total * brainstate.environ.get("k", 1.0) * brainstate.environ.get("array", 1.0)
        unit = u.get_unit(self.state.value) if not isinstance(self.state.value, dict) else None
        return x * total * (10.0 if unit == u.volt else 1.0)

    def truth(self, x):
        """The same with NumPy, looked at from outside."""
        leaves = [np.asarray(u.get_mantissa(v)) for v in jax.tree.leaves(self.state.value)]
        settings = brainstate.environ.all()
        factors = [
            sum(leaf.sum() for leaf in leaves), len(leaves), self.gain, *self.sizes,
            self.options["a"], self.options["deep"][1]["b"], 2.0 if "fast" in self.flags else 1.0,
            self.sign(1.0), self.part.factor + self.part.offset, settings.get("k", 1.0),
            np.asarray(settings.get("array", 1.0)), x,
        ]  # fmt: skip
        in_volt = getattr(self.state.value, "unit", None) == u.volt
        return np.prod(factors) * (10.0 if in_volt else 1.0)


def put(name, value):
    """Assign an attribute, and put the old one back."""

    def change(world):
        old = getattr(world, name)
        setattr(world, name, value(world) if callable(value) else value)
        return lambda: setattr(world, name, old)

    return change


def hold(value):
    """Assign the State, and put the old value back."""

    def change(world):
        old = world.state.value
        world.state.value = value
        return lambda: setattr(world.state, "value", old)

    return change


def edit(do, undo):
    def change(world):
        do(world)
        return lambda: undo(world)

    return change


def setting(**settings):
    def change(world):
        context = brainstate.environ.context(**settings)
        context.__enter__()
        return lambda: context.__exit__(None, None, None)

    return change


def class_default_hidden(world):
    world.part.offset = 4.0
    return lambda: delattr(world.part, "offset")


# name: (change, which returns how to undo it; how many new traces it costs)
CHANGES = {
    "State's value": (hold(np.float32(3.0)), 0),
    "State's shape": (hold(np.ones(3, np.float32)), 1),
    "State's dtype": (hold(np.int32(3)), 1),
    "State's tree": (hold({"a": np.float32(1.0), "b": np.float32(2.0)}), 1),
    "State's unit": (hold(np.float32(4.0) * u.volt), 1),
    "State replaced": (put("state", lambda world: world.other), 1),
    "node replaced": (put("part", lambda world: world.spare), 1),
    "number": (put("gain", 2.5), 1),
    "type of a number": (put("gain", 2), 1),
    "function": (put("sign", lambda world: np.abs), 1),
    "attribute of a part": (edit(lambda w: setattr(w.part, "factor", 6.0),
                                 lambda w: setattr(w.part, "factor", 3.0)), 1),
    "class default hidden": (class_default_hidden, 1),
    "list replaced": (put("sizes", lambda world: [3.0]), 1),
    "list append": (edit(lambda w: w.sizes.append(3.0), lambda w: w.sizes.pop()), 1),
    "list item": (edit(lambda w: w.sizes.__setitem__(0, 4.0),
                       lambda w: w.sizes.__setitem__(0, 1.0)), 1),
    "dict item": (edit(lambda w: w.options.update(a=4.0), lambda w: w.options.update(a=1.0)), 1),
    "item deep down": (edit(lambda w: w.options["deep"][1].update(b=4.0),
                            lambda w: w.options["deep"][1].update(b=2.0)), 1),
    "set": (edit(lambda w: w.flags.discard("fast"), lambda w: w.flags.add("fast")), 1),
    "setting": (setting(k=2.0), 1),
    "setting of an array": (setting(array=jnp.float32(2.0)), 1),
    "nothing looked at": (put("unread", 1), 0),
}  # fmt: skip
World.unread = 0
FEW = ["State replaced", "attribute of a part", "setting"]
FULL = [(JIT,), (BY_NAME["for_loop"],), (BY_NAME["cond"],)]
REST = [*[(row,) for row in KEPT], *[(JIT, row) for row in KINDS]]


@pytest.mark.parametrize("rows", FULL, ids=name_of)
def test_every_change_is_followed_and_compiled_once(rows):
    _follow(rows, CHANGES)


@pytest.mark.parametrize("rows", [rows for rows in REST if rows not in FULL], ids=name_of)
def test_changes_are_followed_by(rows):
    _follow(rows, FEW)


def _follow(rows, changes):
    world = World()
    call = through(*rows)(world)
    wrong = {}

    def check(what, allowed):
        before = counted(world.runs)
        found, truth = float(call(jnp.float32(2.0))), world.truth(2.0)
        traces = counted(world.runs) - before
        if not np.isclose(found, truth, rtol=1e-5) or traces != allowed:
            wrong[what] = f"{found} for {truth}, {traces} traces for {allowed}"

    check("first call", 1)
    check("second call", 0)
    for name in changes:
        change, traces = CHANGES[name]
        undo = change(world)
        check(name, traces)
        check(f"{name}, again", 0)
        undo()
        check(f"{name}, undone", 0)
    assert not wrong


@pytest.mark.parametrize("rows", [(JIT,), (BY_NAME["for_loop"],)], ids=name_of)
def test_array_setting_is_an_input(rows):
    """Its value may change at every call; nothing is compiled again."""
    traces = count()

    def body(x):
        next(traces)
        return x * brainstate.environ.get("t")

    call = through(*rows)(body)
    for t in (1.0, 2.0, 3.0):
        with brainstate.environ.context(t=jnp.float32(t)):
            assert float(call(jnp.float32(2.0))) == 2.0 * t
    assert counted(traces) == 1


@pytest.mark.parametrize("row", [row for row in ROWS if row.effects], ids=name_of)
def test_setting_of_the_body_is_its_own(row):
    """A context entered inside one transformation, around a jitted function."""
    inner = bt.jit(lambda: brainstate.environ.get("t") * 1.0)
    found = brainstate.State(jnp.zeros(2))

    def body(x):
        with brainstate.environ.context(t=x):
            first = inner()
        with brainstate.environ.context(t=x * 10.0):
            found.value = jnp.stack([first, inner()])
        return x

    call = row(body)
    for x in (1.0, 2.0):
        call(jnp.float32(x))
        np.testing.assert_allclose(found.value, [x, 10.0 * x])


HELD = {
    "tuple of a list": (lambda: ([1.0],), lambda a: a[0].append(2.0), lambda a: sum(a[0])),
    "list of lists": (lambda: [[1.0]], lambda a: a[0].append(2.0), lambda a: sum(a[0])),
    "array": (lambda: np.ones(2), lambda a: a.__setitem__(0, 5.0), np.sum),
    "array in a list": (lambda: [np.ones(2)], lambda a: a[0].__setitem__(0, 5.0), np.sum),
    "OrderedDict": (lambda: collections.OrderedDict(a=1.0), lambda a: a.update(a=5.0),
                    lambda a: a["a"]),
    "defaultdict": (lambda: collections.defaultdict(float, a=1.0), lambda a: a.update(a=5.0),
                    lambda a: a["a"]),
    "DotDict": (lambda: brainstate.util.DotDict(a=1.0), lambda a: a.update(a=5.0),
                lambda a: a["a"]),
    "graph.List": (lambda: brainstate.graph.List([1.0]), lambda a: a.append(5.0), sum),
    "graph.Dict": (lambda: brainstate.graph.Dict(a=1.0), lambda a: a.update(a=5.0),
                   lambda a: a["a"]),
    "sign of zero": (lambda: [0.0], lambda a: a.__setitem__(0, -0.0),
                     lambda a: np.copysign(1.0, a[0])),
}  # fmt: skip


@pytest.mark.parametrize("name", HELD)
def test_container_edited_in_place_is_followed(name):
    make, change, look = HELD[name]
    node = brainstate.graph.Node()
    node.held = make()
    call = bt.jit(lambda x: x * look(node.held))
    for _ in range(2):
        assert float(call(1.0)) == look(node.held)
        change(node.held)
    assert float(call(1.0)) == look(node.held)


# ------------------------------------------------------------------ what loops close over

scale = 1.0


class Config:
    scale = 1.0


def _number():
    k = 1.0

    def change():
        nonlocal k
        k = 5.0

    return lambda x: x * k, change


def _list():
    k = [1.0]
    return lambda x: x * k[0], lambda: k.__setitem__(0, 5.0)


def _array():
    k = np.ones(2)
    return lambda x: x * k[0], lambda: k.__setitem__(0, 5.0)


def _global():
    def change():
        global scale
        scale = 5.0

    return lambda x: x * scale, change


def _global_of_a_helper():
    def change():
        global scale
        scale = 5.0

    return lambda x: _scaled(x), change


def _scaled(x):
    return x * scale


def _inner_function():
    k = 1.0

    def times(x):
        return x * k

    def change():
        nonlocal k
        k = 5.0

    return lambda x: times(x), change


def _object():
    config = Config()
    return lambda x: x * config.scale, lambda: setattr(config, "scale", 5.0)


def _partial():
    k = [1.0]
    return functools.partial(lambda k, x: x * k[0], k), lambda: k.__setitem__(0, 5.0)


def _method():
    class Scale:
        k = 1.0

        def __call__(self, x):
            return self.apply(x)

        def apply(self, x):
            return x * self.k

    made = Scale()
    return made.apply, lambda: setattr(made, "k", 5.0)


CLOSURES = [
    _number, _list, _array, _global, _global_of_a_helper, _inner_function, _object, _partial,
    _method,
]  # fmt: skip


@pytest.mark.parametrize("make", CLOSURES, ids=lambda f: f.__name__[1:])
@pytest.mark.parametrize("row", [BY_NAME["for_loop"], BY_NAME["cond"]], ids=name_of)
def test_eager_loop_follows_what_its_body_closes_over(row, make, monkeypatch):
    """It looks like plain Python, so it must not go on with old values."""
    monkeypatch.setitem(globals(), "scale", 1.0)
    body, change = make()
    call = row(body)
    assert float(call(jnp.float32(2.0))) == 2.0
    change()
    assert float(call(jnp.float32(2.0))) == 10.0


@pytest.mark.parametrize("row", LOOPS, ids=name_of)
def test_eager_loop_with_a_body_written_anew_is_compiled_once(row):
    traces, k = count(), 3.0
    state = brainstate.State(jnp.float32(1.0))

    def run(x):
        def body(x):
            next(traces)
            return x * state.value * k

        return row(body)(x)

    for x in (1.0, 2.0):
        assert float(run(jnp.float32(x))) == 3.0 * x
    assert counted(traces) == 1


# ------------------------------------------------------------------ arguments of jit


def test_arguments_are_told_apart():
    traces = count()

    @bt.jit
    def f(x=1.0, y=2.0):
        next(traces)
        if isinstance(x, dict):
            return x["a"] if "a" in x else -x["b"]
        return x.to_decimal(u.mV) if isinstance(x, u.Quantity) else x - y

    for _ in range(2):
        assert float(f({"a": 5.0})) == 5.0
        assert float(f({"b": 5.0})) == -5.0
        assert float(f(x=5.0)) == 3.0
        assert float(f(y=5.0)) == -4.0
        assert float(f(y=5.0, x=7.0)) == float(f(x=7.0, y=5.0)) == 2.0
        assert float(f(1.0 * u.mV)) == 1.0
        assert float(f(1.0 * u.volt)) == 1000.0
    assert counted(traces) <= 8


def test_nesting_of_arguments_is_told_apart():
    f = bt.jit(lambda x, y: (len(x), len(y)))
    assert f((1, 2), (3,)) == (2, 1)
    assert f((1,), (2, 3)) == (1, 2)


def test_model_arguments_are_told_apart():
    f = bt.jit(lambda part, x: x * part.factor)
    one, two = Part(1.0), Part(2.0)
    for _ in range(2):
        assert [float(f(part, 3.0)) for part in (one, two, one)] == [3.0, 6.0, 3.0]
    two.factor = 5.0
    assert [float(f(part, 3.0)) for part in (one, two)] == [3.0, 15.0]
    assert float(f(x=3.0, part=two)) == 15.0


def test_shapes_that_touch_different_states():
    a, b = brainstate.State(jnp.float32(0.0)), brainstate.State(jnp.float32(0.0))

    @bt.jit
    def f(x):
        (a if x.shape else b).value += jnp.sum(x)

    for x in (jnp.ones(2), jnp.float32(1.0), jnp.ones(2), jnp.float32(1.0), jnp.ones(3)):
        f(x)
    assert (float(a.value), float(b.value)) == (7.0, 2.0)


def test_reinitialised_states_are_used():
    model = brainstate.graph.Node()
    model.h = brainstate.HiddenState(jnp.zeros(2))

    @bt.jit
    def step():
        model.h.value = model.h.value + 1

    step()
    model.h = brainstate.HiddenState(jnp.zeros(2) + 100)
    step()
    np.testing.assert_array_equal(model.h.value, [101.0, 101.0])


def test_eager_gradient_runs_its_function_each_time():
    p, factor = brainstate.ParamState(jnp.ones(2)), [1.0]
    gradient = bt.grad(lambda: (p.value * factor[0]).sum(), p)
    for factor[0] in (1.0, 5.0):
        np.testing.assert_array_equal(gradient(), np.full(2, factor[0]))


def test_models_that_come_and_go_at_one_address_are_told_apart():
    shared = brainstate.State(1.0)

    class Scaled(brainstate.graph.Node):
        def __init__(self, factor):
            self.factor, self.shared = factor, shared

        @bt.jit
        def __call__(self):
            return self.factor * self.shared.value

    gc.disable()  # what was compiled for a model may outlive it until the next collection
    try:
        addresses = set()
        for factor in range(20):
            model = Scaled(float(factor))
            addresses.add(id(model))
            assert model() == factor
            del model
    finally:
        gc.enable()
    assert len(addresses) < 20
