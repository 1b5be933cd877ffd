"""Models, optimizers and generators: what is saved, what is loaded, what is refused."""

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import brainstate as bst
from brainstate.saving import contents, load, save, save_async

State = bst.State
FORMATS = ("file.safetensors", "folder")


@pytest.fixture(params=FORMATS)
def path(request, tmp_path):
    return tmp_path / request.param


def values(target):
    return jax.tree.map(np.asarray, bst.nn.save_all_states(target))


def assert_equal(found, expected):
    assert found.keys() == expected.keys()
    jax.tree.map(np.testing.assert_array_equal, found, expected)


# ---------------------------------------------------------------------- whole runs


def run_of(make_optimizer):
    """A model with noise, its optimizer and generator, and a compiled step that trains it."""
    net = bst.nn.Sequential(bst.nn.Linear(3, 4), bst.nn.Dropout(0.8), bst.nn.Linear(4, 1))
    weights = net.states(bst.ParamState)
    opt = make_optimizer()
    opt.register_trainable_weights(weights)
    run = {"net": net, "opt": opt, "rng": bst.random.DEFAULT, "count": State(0)}

    @bst.compile.jit
    def step(x):
        def loss():
            with bst.environ.context(fit=True):
                return (net(x + bst.random.normal(size=x.shape)) ** 2).mean()

        gradients, value = bst.augment.grad(loss, weights, return_value=True)()
        opt.update(gradients)
        run["count"].value += 1
        return value

    return run, step


OPTIMIZERS = {
    "adam": lambda: bst.optim.Adam(bst.optim.StepLR(0.1, step_size=2)),
    "momentum": lambda: bst.optim.Momentum(0.01),
    "optax": lambda: bst.optim.OptaxOptimizer(
        optax.chain(
            optax.clip_by_global_norm(1.0), optax.adamw(optax.cosine_decay_schedule(0.1, 9))
        )
    ),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_goes_on_to_the_last_bit(path, name):
    x = jnp.arange(6.0).reshape(2, 3)
    bst.random.seed(1)
    run, step = run_of(OPTIMIZERS[name])
    for _ in range(3):
        step(x)
    save(path, run)
    expected = [float(step(x)) for _ in range(3)]
    assert np.isfinite(expected).all()
    after = values(run)

    bst.random.seed(2)
    other, step = run_of(OPTIMIZERS[name])
    assert load(path, other) == ([], [])
    assert [float(step(x)) for _ in range(3)] == expected
    assert_equal(values(other), after)


def test_a_model_with_units_goes_on(path):
    def make():
        return bst.nn.init_all_states(bst.nn.LIF(4, V_initializer=bst.init.Normal(1.0, unit=u.mV)))

    with bst.environ.context(dt=0.1 * u.ms):
        one, other = make(), make()
        for _ in range(5):
            one(3.0 * u.mA)
        save(path, one)
        load(path, other)
        for _ in range(5):
            assert_equal(
                {"s": one(3.0 * u.mA), "V": one.V.value.to_decimal(u.mV)},
                {"s": other(3.0 * u.mA), "V": other.V.value.to_decimal(u.mV)},
            )


def test_a_shared_state_is_saved_and_loaded_once(path):
    shared = bst.ParamState(jnp.arange(3.0))
    one = {"a": shared, "b": [shared]}
    save(path, one)
    assert list(contents(path)) == ["a"]
    other = bst.ParamState(jnp.zeros(3))
    load(path, {"a": other, "b": [other]})
    np.testing.assert_array_equal(other.value, [0, 1, 2])
    with pytest.raises(ValueError, match=r"b\.0: not in the file"):
        load(path, {"a": other, "b": [bst.ParamState(jnp.zeros(3))]})


def test_a_path_in_a_file_is_that_of_states(path):
    net = bst.nn.Sequential(bst.nn.Linear(2, 3), bst.nn.Linear(3, 1))
    save(path, net)
    assert list(contents(path)) == [
        f"layers.{i}.weight.{part}" for i in range(2) for part in ("bias", "weight")
    ]


# ---------------------------------------------------------------------- parts


def test_a_filter_saves_and_loads_some_states(path):
    def make():
        return {"w": bst.ParamState(jnp.ones(2)), "V": bst.HiddenState(jnp.ones(2))}

    one, other = make(), make()
    one["w"].value, one["V"].value = jnp.full(2, 5.0), jnp.full(2, 6.0)
    save(path, one)
    assert load(path, other, bst.ParamState) == ([], [])
    assert_equal(values(other), {("w",): np.full(2, 5.0), ("V",): np.ones(2)})
    save(path, one, bst.ParamState)
    assert list(contents(path)) == ["w"]
    with pytest.raises(ValueError, match="nothing to save"):
        save(path, one, "no such tag")


def test_not_strict_tells_what_either_side_lacks(path):
    save(
        path, {"a": State({"x": 1.0, "y": 2.0}), "b": State({"x": 1.0, "y": 2.0}), "n": [State(0)]}
    )
    b, c = State({"x": 0.0, "y": 0.0}), State(3.0)
    found = load(path, {"b": b, "c": c, "e": State({})}, strict=False)
    assert found == ([("c",)], [("a",), ("n", 0)])
    assert type(found) is bst.nn.StateLoadResult
    assert (b.value, c.value) == ({"x": 1.0, "y": 2.0}, 3.0)


MISFITS = [
    (jnp.zeros(3), jnp.zeros(4), r"shape \(3,\) in the file, \(4,\) in the State"),
    (jnp.zeros(3), jnp.zeros(3, int), "float32 in the file, int32 in the State"),
    (jnp.zeros(3, int), jnp.zeros(3), "int32 in the file, float32 in the State"),
    (jnp.zeros(3) * u.mV, jnp.zeros(3) * u.nA, "unit mV in the file, unit nA in the State"),
    (jnp.zeros(3) * u.mV, jnp.zeros(3), "unit mV in the file, no unit in the State"),
    (jnp.zeros(3), jnp.zeros(3) * u.mV, "no unit in the file, unit mV in the State"),
    (np.ones(3, int) * u.mV, np.ones(3, int) * u.volt, "integers in mV in the file, in V"),
    (None, jnp.zeros(3), r"shape \(\) in the file|NoneType in the file"),
    (jnp.zeros(()), None, "float32 in the file, NoneType in the State"),
    ("text", 3, "str in the file, int in the State"),
    (jnp.zeros(()), True, "float32 in the file, bool in the State"),
    (jax.random.key(0), jax.random.key(0, impl="rbg"), "key<threefry2x32> in the file, key<rbg>"),
    (jax.random.PRNGKey(0), jax.random.key(0), r"shape \(2,\) in the file"),
    ({"a": 1.0}, {"a": 1.0, "b": 1.0}, r"x\.b: not in the file"),
    ({"a": 1.0, "b": 1.0}, {"a": 1.0}, r"x\.b: only in the file"),
    (jnp.full(3, 300), jnp.zeros(3, jnp.int8), "some integers in the file do not fit"),
]


@pytest.mark.parametrize(("saved", "held", "message"), MISFITS)
def test_what_does_not_fit_changes_nothing(tmp_path, saved, held, message):
    path = tmp_path / "x.safetensors"
    save(path, {"good": State(1.0), "x": State(saved)})
    good, state = State(0.0), State(held)
    for strict in (True, False):
        with pytest.raises(ValueError, match=message) as error:
            load(path, {"good": good, "x": state}, strict=strict)
        assert "x" in str(error.value).partition("\n")[2] or "`x`" in str(error.value)
        assert good.value == 0.0
        assert state.value is held or isinstance(held, dict)


def test_all_misfits_are_listed(path):
    save(path, {"a": State(jnp.zeros(2)), "b": State(jnp.zeros(2)), "d": State(0)})
    target = {"a": State(jnp.zeros(3)), "b": State(jnp.zeros(2, int)), "c": State(0)}
    with pytest.raises(ValueError, match="nothing was loaded") as error:
        load(path, target)
    for part in ("a: shape", "b: float32", "c: not in the file", "d: only in the file"):
        assert part in str(error.value)


def test_a_write_that_is_refused_undoes_the_others(path):
    save(path, {"a": State(jnp.ones(2)), "b": State(jnp.array([1.0, jnp.nan]))})
    target = {"a": State(jnp.zeros(2)), "b": State(jnp.zeros(2))}
    with pytest.raises(FloatingPointError), bst.debug():
        load(path, target)
    assert_equal(values(target), {("a",): np.zeros(2), ("b",): np.zeros(2)})


# ---------------------------------------------------------------------- where it is called


@pytest.mark.parametrize("transform", [bst.compile.jit, jax.jit, bst.augment.grad, jax.grad])
def test_transformed_functions_neither_save_nor_load(path, transform):
    state = State(jnp.ones(()))
    save(path, {"a": state})
    for call in (save, save_async, load):

        def body(x, call=call):
            call(path, {"a": state})
            return x

        with pytest.raises(bst.util.TraceContextError, match="inside a transformation"):
            transform(body)(1.0)


def test_what_is_no_state_is_refused_by_its_place(path):
    with pytest.raises(TypeError, match=r"epoch.* 3 of type int"):
        save(path, {"net": bst.nn.Linear(2, 3), "epoch": 3})
    with pytest.raises(TypeError, match="State `a` holds object"):
        save(path, bst.graph.Dict(a=State(object())))
    with pytest.raises(TypeError, match="holds ndarray"):
        save(path, {"a": State(np.array(["a"]))})
    assert not path.exists()
