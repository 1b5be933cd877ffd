"""`grad`, `vector_grad`, `jacrev`, `jacfwd`, `hessian`, compared with their JAX twins."""

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import ParamState, ShortTermState, State, random
from brainstate.augment import (
    GradientTransform,
    grad,
    hessian,
    jacfwd,
    jacobian,
    jacrev,
    vector_grad,
    vmap,
)
from brainstate.transform import cond, for_loop, jit, scan
from brainstate.util import FlattedDict, NestedDict

ALL = [grad, vector_grad, jacrev, jacfwd, hessian]


def assert_same(a, b):
    """The same structure, shapes and values."""
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        assert np.shape(x) == np.shape(y)
        np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6)


def layer():
    """A dense layer's States, and their values."""
    weight = ParamState(
        {"weight": jnp.array([[0.5, -1.0, 2.0], [1.5, 0.3, -0.7]]), "bias": jnp.arange(3.0)}
    )
    gain = ParamState(jnp.array([2.0, 3.0, 0.5]))
    return weight, gain


def forward(weight, gain, x):
    return jnp.tanh(x @ weight["weight"] + weight["bias"]) * gain


def values_of(container):
    return jax.tree.map(lambda s: s.value, container, is_leaf=lambda x: isinstance(x, State))


# ---------------------------------------------------------------- containers of States

X = jnp.array([0.2, -0.4])


@pytest.mark.parametrize("container", [
    lambda w, g: w,
    lambda w, g: [w, g],
    lambda w, g: (w, g),
    lambda w, g: {"w": w, "g": g},
    lambda w, g: {"outer": [w, {"g": (g,)}]},
    lambda w, g: {"a": None, "b": [None, w]},
], ids=["one", "list", "tuple", "dict", "nested", "with None"])  # fmt: skip
def test_gradients_come_in_the_container_of_their_states(container):
    weight, gain = layer()
    states = container(weight, gain)

    def pure(values):
        flat = {
            id(s): v for s, v in zip(jax.tree.leaves(states), leaves_up_to(values), strict=True)
        }
        w, g = (flat.get(id(s), s.value) for s in (weight, gain))
        return (forward(w, g, X) ** 2).sum()

    def leaves_up_to(values):
        return jax.tree.structure(states).flatten_up_to(values)

    expected = jax.grad(pure)(values_of(states))
    found = grad(lambda: (forward(weight.value, gain.value, X) ** 2).sum(), states)()
    assert type(found) is type(expected)
    assert_same(found, expected)


@pytest.mark.parametrize("kind", [
    FlattedDict, NestedDict, brainstate.StateDictManager, brainstate.util.DotDict,
])  # fmt: skip
def test_mappings_become_plain_sorted_dicts(kind):
    weight, gain = layer()
    key = (lambda k: (k,)) if kind is FlattedDict else (lambda k: k)
    found = grad(
        lambda: (forward(weight.value, gain.value, X) ** 2).sum(),
        kind({key("w"): weight, key("g"): gain}),
    )()
    assert type(found) is dict
    assert list(found) == [key("g"), key("w")]
    assert list(found[key("w")]) == ["bias", "weight"]
    assert repr(found).startswith("{('g',): Array(" if kind is FlattedDict else "{'g': Array(")


def test_paths_of_different_lengths_are_sorted_as_tuples():
    a, b, c = (ParamState(jnp.float32(i)) for i in range(3))
    states = FlattedDict({("z",): a, ("b", "s"): b, ("b",): c})
    found = grad(lambda: a.value + 2 * b.value + 3 * c.value, states)()
    assert list(found) == [("b",), ("b", "s"), ("z",)]
    assert [float(v) for v in found.values()] == [3.0, 2.0, 1.0]


@pytest.mark.parametrize("transform", ALL)
@pytest.mark.parametrize("bad", [3.0, ["w"], {"a": jnp.ones(2)}])
def test_only_states_are_differentiated(transform, bad):
    with pytest.raises(
        TypeError, match=r"All grad_states must be State instances.*found .*states\("
    ):
        transform(lambda: 1.0, bad)


def test_a_state_listed_twice_gets_its_gradient_twice():
    w = ParamState(jnp.array([1.0, 2.0]))
    found = grad(lambda: (w.value**2).sum(), {"a": w, "b": [w]})()
    assert_same(found, {"a": jnp.array([2.0, 4.0]), "b": [jnp.array([2.0, 4.0])]})


def test_named_tuples_stay_named_tuples():
    from typing import NamedTuple

    class Pair(NamedTuple):
        first: State
        second: State

    a, b = ParamState(2.0), ParamState(3.0)
    found = grad(lambda: a.value * b.value, Pair(a, b))()
    assert type(found) is Pair
    assert (found.first, found.second) == (3.0, 2.0)


# ---------------------------------------------------------------- arguments


def product(x, y, *, scale=1.0):
    return x**2 * y * scale


@pytest.mark.parametrize("argnums", [None, 0, 1, -1, -2, (0,), (0, 1), (1, 0), [0, 1], (-1, 0)])
def test_argnums_without_states(argnums):
    expected = jax.grad(product, **({} if argnums is None else {"argnums": argnums}))(2.0, 3.0)
    assert_same(grad(product, argnums=argnums)(2.0, 3.0), expected)


def test_argnums_with_states():
    w = ParamState(jnp.array([1.0, 2.0]))

    def loss(x, y):
        return (w.value * x * y).sum()

    assert_same(grad(loss, w)(2.0, 3.0), jnp.array([6.0, 6.0]))
    assert_same(grad(loss, w, 0)(2.0, 3.0), (jnp.array([6.0, 6.0]), jnp.asarray(9.0)))
    assert_same(
        grad(loss, [w], argnums=(-1,))(2.0, 3.0), ([jnp.array([6.0, 6.0])], (jnp.asarray(6.0),))
    )
    found = grad(loss, {"w": w}, argnums=(0, 1))(2.0, 3.0)
    assert_same(found, ({"w": jnp.array([6.0, 6.0])}, (jnp.asarray(9.0), jnp.asarray(6.0))))


@pytest.mark.parametrize("transform", ALL)
@pytest.mark.parametrize("empty", [None, {}])
def test_no_states_means_the_first_argument(transform, empty):
    found = transform(lambda x, y: x**2 * y, empty)(3.0, 5.0)
    assert float(found) == (10.0 if transform is hessian else 30.0)


def test_keyword_arguments_are_passed_and_not_differentiated():
    assert grad(product)(2.0, 3.0, scale=10.0) == 120.0
    assert grad(product)(2.0, y=3.0) == 12.0
    with pytest.raises(ValueError, match=r"argnums=1 is out of range.*1 positional.*keyword"):
        grad(product, argnums=1)(2.0, y=3.0)


@pytest.mark.parametrize("argnums", [2, -3, (0, 5)])
def test_argnums_out_of_range_is_named(argnums):
    with pytest.raises(ValueError, match=r"argnums=.*out of range.*2 positional"):
        grad(product, argnums=argnums)(2.0, 3.0)


def test_trees_as_arguments():
    tree = {"a": jnp.ones(2), "b": (jnp.ones(()), 2.0)}

    def loss(t):
        return (t["a"] ** 2).sum() * t["b"][0] + t["b"][1] ** 3

    assert_same(grad(loss)(tree), jax.grad(loss)(tree))


@pytest.mark.parametrize("transform", ALL)
def test_a_model_as_the_argument_differentiated(transform):
    model = brainstate.graph.Dict(w=ParamState(jnp.ones(2)))

    def loss(m, x):
        return (m.w.value * x).sum()

    with pytest.raises(TypeError, match=r"argument 0.*Dict.*grad_states"):
        transform(loss)(model, jnp.ones(2))
    expected = 0.0 if transform is hessian else 2.0
    assert jnp.sum(transform(loss, argnums=1)(model, jnp.ones(2))) == expected


# ---------------------------------------------------------------- what is returned


@pytest.mark.parametrize("transform", ALL)
@pytest.mark.parametrize("where", ["states", "argument", "both"])
def test_order_of_results(transform, where):
    w = ParamState(3.0)
    kwargs = {
        "states": {"grad_states": w},
        "argument": {},
        "both": {"grad_states": w, "argnums": 0},
    }
    kwargs = kwargs[where]

    def loss(x):
        return w.value**2 * x**2

    def with_aux(x):
        return loss(x), {"text": "aux", "x": x}

    derivative = transform(loss, **kwargs)(2.0)
    assert_same(transform(loss, return_value=True, **kwargs)(2.0), (derivative, jnp.asarray(36.0)))
    found, aux = transform(with_aux, has_aux=True, **kwargs)(2.0)
    assert_same(found, derivative)
    assert aux["text"] == "aux"
    assert float(aux["x"]) == 2.0
    found, value, aux = transform(with_aux, has_aux=True, return_value=True, **kwargs)(2.0)
    assert_same(found, derivative)
    assert float(value) == 36.0
    assert aux["text"] == "aux"


@pytest.mark.parametrize("transform", ALL)
@pytest.mark.parametrize("result", [1.0, (1.0, 2.0, 3.0), None])
def test_aux_needs_a_pair(transform, result):
    def loss(x):
        return result

    with pytest.raises(TypeError, match=r"has_aux=True, loss must return a pair \(value, aux\)"):
        transform(loss, has_aux=True)(1.0)


def test_aux_may_hold_anything():
    marker, node = object(), brainstate.graph.Dict(a=State(1.0))
    state = State(2.0)

    def loss(x):
        return x**2, [marker, node, state, None, "text", x * 1]

    _, aux = grad(loss, has_aux=True)(3.0)
    assert aux[0] is marker
    assert aux[1] is node
    assert aux[2] is state
    assert aux[3:5] == [None, "text"]
    assert float(aux[5]) == 3.0


# ---------------------------------------------------------------- forms of use


@pytest.mark.parametrize("transform", [grad, vector_grad, jacrev, jacfwd, hessian])
def test_decorator_with_options(transform):
    w = ParamState(3.0)

    @transform(grad_states=w, return_value=True)
    def loss(x):
        """Doc."""
        return w.value**2 * x

    found, value = loss(2.0)
    assert float(value) == 18.0
    assert float(found) == (4.0 if transform is hessian else 12.0)
    assert isinstance(loss, GradientTransform)
    assert (loss.__name__, loss.__doc__) == ("loss", "Doc.")


def test_bare_decorator():
    @grad
    def square(x):
        return x**2

    assert square(3.0) == 6.0


def test_decorated_method():
    class Model:
        def __init__(self):
            self.w = ParamState(3.0)

        @grad(argnums=1)
        def loss(self, x):
            return self.w.value * x**2

    assert Model().loss(2.0) == 12.0


def test_jacobian_is_jacrev():
    assert jacobian is jacrev


@pytest.mark.parametrize("transform", ALL)
def test_target_must_be_callable(transform):
    with pytest.raises(
        TypeError, match=rf"{transform.__name__}\(\) transforms a function; found 3"
    ):
        transform(3)


def test_repr_names_the_parts():
    w = ParamState(3.0, name="weight")
    text = repr(grad(product, [w], argnums=1, return_value=True, has_aux=False))
    for part in ("GradientTransform(", "target=", "product", "name='weight'", "argnums=1",
                 "return_value=True", "has_aux=False", "transform=grad"):  # fmt: skip
        assert part in text
    assert GradientTransform.__module__ == "brainstate.augment"


# ---------------------------------------------------------------- States in the target


def test_states_not_listed_are_constants():
    w, c = ParamState(3.0), State(5.0)
    assert grad(lambda: w.value * c.value, w)() == 5.0


def test_states_written_keep_their_new_values():
    w, count = ParamState(3.0), State(0)

    def loss(x):
        count.value += 1
        return w.value * x

    gradient = grad(loss, w)
    assert [gradient(1.0), gradient(2.0)] == [1.0, 2.0]
    assert count.value == 2
    assert type(count.value) is int


def test_gradient_is_with_respect_to_the_initial_value():
    w = ParamState(jnp.array([1.0, 2.0]))

    def loss():
        w.value = 2 * w.value
        return (w.value**2).sum()

    np.testing.assert_array_equal(grad(loss, w)(), [8, 16])
    np.testing.assert_array_equal(w.value, [2, 4])


@pytest.mark.parametrize("transform", ALL)
def test_written_states_hold_plain_values(transform):
    w, seen = ParamState(jnp.array(3.0)), State(jnp.zeros(2))

    def loss(x):
        seen.value = jnp.stack([w.value, x])
        w.value = w.value + 1
        return w.value**2 * x

    transform(loss, w)(2.0)
    np.testing.assert_array_equal(np.asarray(seen.value), [3, 2])
    assert float(w.value) == 4.0


def test_draws_advance_the_generator():
    w = ParamState(jnp.ones(3))
    with random.seed_context(0):
        random.seed(5)
        expected = [random.rand(3) for _ in range(2)]
        random.seed(5)
        gradient = grad(lambda: (w.value * random.rand(3)).sum(), w)
        assert_same([gradient(), gradient()], expected)


def test_state_made_in_the_loss_lives_on():
    made = []

    def loss(x):
        made.append(ShortTermState(x * 2))
        return made[-1].value ** 2

    assert grad(loss)(3.0) == 24.0
    assert float(made[0].value) == 6.0


def test_differentiation_reruns_the_function_at_each_call():
    w, factor = ParamState(2.0), [1.0]
    gradient = grad(lambda: w.value * factor[0], w)
    assert gradient() == 1.0
    factor[0] = 5.0
    assert gradient() == 5.0


def test_python_control_flow_on_values():
    w = ParamState(2.0)

    def loss(x):
        if x > 0 and w.value > 0:
            return w.value * x
        return -w.value * x

    assert [grad(loss, w)(3.0), grad(loss, w)(-3.0)] == [3.0, 3.0]


def test_edits_in_place_of_a_dict_value():
    w = ParamState({"w": jnp.ones(2)})

    def loss():
        w.value["w"] = w.value["w"] * 3
        return w.value["w"].sum()

    for run in (grad(loss, w), jit(grad(loss, w))):
        w.value = {"w": jnp.ones(2)}
        assert_same(run(), {"w": jnp.array([3.0, 3.0])})
        assert_same(w.value, {"w": jnp.array([3.0, 3.0])})


def test_a_state_never_read_is_named():
    w, other = ParamState(1.0), ParamState(jnp.ones(2), name="lonely")

    def loss():
        return w.value**2

    for transform in ALL:
        with pytest.raises(
            ValueError, match=r"loss never read ParamState 'lonely'.*check_states=False"
        ):
            transform(loss, [w, other])()
    found = grad(loss, [w, other], check_states=False)()
    assert_same(found, [jnp.asarray(2.0), jnp.zeros(2)])


def test_a_state_read_only_inside_an_inner_transformation_counts_as_read():
    w, xs = ParamState(2.0), jnp.arange(3.0)
    for loss, expected in (
        (jit(lambda: w.value**2), 4.0),
        (lambda: for_loop(lambda i: w.value * i, xs).sum(), 3.0),
        (lambda: vmap(lambda i: w.value * i)(xs).sum(), 3.0),
        (lambda: cond(True, lambda: w.value * 3, lambda: 0.0), 3.0),
    ):
        assert grad(loss, w)() == expected


# ---------------------------------------------------------------- grad


def test_non_scalar_output_says_what_to_use():
    w = ParamState(jnp.ones(2), name="w")

    def loss():
        return {"y": w.value * 2}

    with pytest.raises(TypeError) as caught:
        grad(loss, w)()
    text = str(caught.value)
    for part in ("scalar", "loss returned", "float32[2]", "vector_grad", "hessian", "jacrev"):
        assert part in text
    np.testing.assert_array_equal(w.value, [1, 1])


@pytest.mark.parametrize("output", [
    lambda x: x[None], lambda x: (x, x), lambda x: {"a": x}, lambda x: None, lambda x: [x],
])  # fmt: skip
def test_only_one_bare_scalar_is_a_scalar(output):
    with pytest.raises(TypeError, match=r"scalar output.*vector_grad.*hessian"):
        grad(output)(jnp.asarray(1.0))


@pytest.mark.parametrize("transform", ALL)
def test_a_state_as_the_result(transform):
    w = ParamState(jnp.asarray(1.0), name="w")
    with pytest.raises(TypeError, match=r"returned .*'w'.*value"):
        transform(lambda x: w)(1.0)


def test_integers_are_refused_unless_allowed():
    n = State(jnp.arange(3), name="n")

    def loss():
        return (n.value * 1.5).sum()

    with pytest.raises(TypeError, match=r"State 'n' holds int32 numbers.*allow_int=True"):
        grad(loss, n)()
    found = grad(loss, n, allow_int=True)()
    assert found.dtype == jax.dtypes.float0
    with pytest.raises(TypeError, match="int"):
        grad(lambda x: x * 1.0)(3)
    with pytest.raises(TypeError, match="real"):
        grad(lambda x: (x * 2).astype(int))(3.0)


def test_holomorphic():
    z = ParamState(jnp.complex64(1 + 2j))
    assert grad(lambda: z.value**2, z, holomorphic=True)() == 2 + 4j
    with pytest.raises(TypeError, match="holomorphic"):
        grad(lambda: z.value**2, z)()


def test_reduce_axes_is_gone():
    with pytest.raises(ValueError, match=r"reduce_axes is gone.*psum"):
        grad(product, reduce_axes=("i",))


# ---------------------------------------------------------------- vector_grad


def test_vector_grad_is_the_gradient_of_the_sum_of_all_outputs():
    weight, gain = layer()
    states = {"w": weight, "g": gain}

    def outputs(w, g, x):
        y = forward(w, g, x)
        return {"y": y, "z": (y[0] * 2, x)}

    def pure(values, x):
        return sum(jnp.sum(leaf) for leaf in jax.tree.leaves(outputs(values["w"], values["g"], x)))

    found, value = vector_grad(
        lambda x: outputs(weight.value, gain.value, x), states, argnums=0, return_value=True
    )(X)
    assert_same(found, jax.grad(pure, argnums=(0, 1))(values_of(states), X))
    assert_same(value, outputs(weight.value, gain.value, X))


def test_vector_grad_of_a_scalar_is_grad():
    assert vector_grad(product)(2.0, 3.0) == grad(product)(2.0, 3.0)


# ---------------------------------------------------------------- Jacobians

PURE_JACOBIANS = {jacrev: jax.jacrev, jacfwd: jax.jacfwd}


@pytest.mark.parametrize("transform", [jacrev, jacfwd])
@pytest.mark.parametrize("container", [
    lambda w, g: w, lambda w, g: [w, g], lambda w, g: {("w",): w, ("g",): g},
], ids=["one", "list", "paths"])  # fmt: skip
@pytest.mark.parametrize("output", [
    lambda y: y, lambda y: {"o": y, "p": (y[0], y[:2])}, lambda y: y.sum(),
], ids=["array", "tree", "scalar"])  # fmt: skip
def test_jacobian_is_output_then_container_then_value(transform, container, output):
    weight, gain = layer()
    states = container(weight, gain)

    def pure(values):
        flat = jax.tree.structure(states).flatten_up_to(values)
        known = {id(s): v for s, v in zip(jax.tree.leaves(states), flat, strict=True)}
        return output(forward(*(known.get(id(s), s.value) for s in (weight, gain)), X))

    found, value = transform(
        lambda: output(forward(weight.value, gain.value, X)), states, return_value=True
    )()
    expected = PURE_JACOBIANS[transform](pure)(values_of(states))
    assert_same(found, expected)
    assert_same(value, pure(values_of(states)))


@pytest.mark.parametrize("transform", [jacrev, jacfwd])
@pytest.mark.parametrize("argnums", [0, -1, (0, 1), (1, 0)])
def test_jacobian_with_respect_to_arguments(transform, argnums):
    def f(x, y):
        return {"o": x[:, None] * y}

    x, y = jnp.arange(2.0), jnp.arange(3.0)
    assert_same(
        transform(f, argnums=argnums)(x, y), PURE_JACOBIANS[transform](f, argnums=argnums)(x, y)
    )


@pytest.mark.parametrize("transform", [jacrev, jacfwd])
def test_jacobian_of_states_and_arguments(transform):
    w = ParamState(jnp.array([1.0, 2.0, 3.0]))
    x = jnp.array([2.0, 5.0])

    def f(w, x):
        return x[:, None] * w**2

    found = transform(lambda x: f(w.value, x), {"w": w}, argnums=0)(x)
    by_w, by_x = PURE_JACOBIANS[transform](f, argnums=(0, 1))(w.value, x)
    assert_same(found, ({"w": by_w}, by_x))


@pytest.mark.parametrize("transform", [jacrev, jacfwd])
def test_jacobian_of_a_scalar_is_the_gradient(transform):
    weight, gain = layer()

    def loss():
        return forward(weight.value, gain.value, X).sum()

    assert_same(transform(loss, [weight, gain])(), grad(loss, [weight, gain])())


def test_jacobian_of_the_gradient_is_the_hessian():
    weight, gain = layer()
    states = {"w": weight, "g": gain}

    def loss():
        return (forward(weight.value, gain.value, X) ** 2).sum()

    expected = hessian(loss, states)()
    assert_same(jacrev(grad(loss, states), states)(), expected)
    assert_same(jacfwd(grad(loss, states), states)(), expected)


def test_jacobian_of_complex_functions():
    z = ParamState(jnp.array([1 + 2j, 3j], jnp.complex64))
    expected = np.diag(2 * np.asarray(z.value))
    for transform in (jacrev, jacfwd):
        np.testing.assert_allclose(transform(lambda: z.value**2, z, holomorphic=True)(), expected)


def test_jacobian_of_integers():
    n = State(jnp.arange(3))
    found = jacrev(lambda: n.value * 1.5, n, allow_int=True)()
    expected = jax.jacrev(lambda x: x * 1.5, allow_int=True)(n.value)
    assert found.shape == expected.shape == (3, 3)
    assert found.dtype == expected.dtype


# ---------------------------------------------------------------- hessian


def dense_loss(weight, gain, x):
    return ((forward(weight, gain, x) - 1.0) ** 2).mean()


def test_hessian_of_paths_is_jax_hessian_of_a_dict():
    weight, gain = layer()
    states = FlattedDict({("layer", "weight"): weight, ("gain",): gain})

    def pure(values):
        return dense_loss(values[("layer", "weight")], values[("gain",)], X)

    found = hessian(lambda: dense_loss(weight.value, gain.value, X), states)()
    expected = jax.hessian(pure)({path: s.value for path, s in states.items()})
    assert_same(found, expected)
    block = found[("layer", "weight")]["weight"][("layer", "weight")]["bias"]
    assert block.shape == (2, 3, 3)
    assert found[("gain",)][("layer", "weight")]["bias"].shape == (3, 3)
    assert type(found) is type(found[("gain",)]) is dict


@pytest.mark.parametrize("container", [
    lambda w, g: w, lambda w, g: g, lambda w, g: [g, w], lambda w, g: (g,),
    lambda w, g: {"a": {"b": [w]}, "c": g},
], ids=["dict value", "array", "list", "tuple", "nested"])  # fmt: skip
def test_hessian_nests_the_container_twice(container):
    weight, gain = layer()
    states = container(weight, gain)

    def pure(values):
        flat = jax.tree.structure(states).flatten_up_to(values)
        known = {id(s): v for s, v in zip(jax.tree.leaves(states), flat, strict=True)}
        return dense_loss(*(known.get(id(s), s.value) for s in (weight, gain)), X)

    found, value = hessian(
        lambda: dense_loss(weight.value, gain.value, X), states, return_value=True
    )()
    assert_same(found, jax.hessian(pure)(values_of(states)))
    assert_same(value, pure(values_of(states)))


@pytest.mark.parametrize("argnums", [None, 0, -1, (0, 1), (1, 0)])
def test_hessian_with_respect_to_arguments(argnums):
    def f(x, y):
        return (x**2 * y).sum() * y.sum()

    x, y = jnp.array([1.0, 2.0]), jnp.array([3.0, 5.0])
    expected = jax.hessian(f, **({} if argnums is None else {"argnums": argnums}))(x, y)
    assert_same(hessian(f, argnums=argnums)(x, y), expected)


def test_hessian_of_states_and_an_argument_holds_all_four_blocks():
    a = ParamState(jnp.array([1.0, 2.0]))

    def f(a, x):
        return (a**2).sum() * x**3

    found = hessian(lambda x: f(a.value, x), {"a": a}, argnums=0)(2.0)
    (aa, ax), (xa, xx) = jax.hessian(f, argnums=(0, 1))(a.value, 2.0)
    assert_same(found, ({"a": ({"a": aa}, ax)}, ({"a": xa}, xx)))


def test_hessian_of_the_tutorial_model():
    weight = ParamState({"weight": jnp.ones((2, 3)), "bias": jnp.zeros(3)})
    x, y = jnp.ones((1, 2)), jnp.ones((1, 3))

    def loss(x, y):
        return jnp.mean((y - x @ weight.value["weight"] - weight.value["bias"]) ** 2)

    found = hessian(loss, {("weight",): weight})(x, y)[("weight",)]
    np.testing.assert_allclose(found["bias"][("weight",)]["bias"], np.eye(3) * 2 / 3, rtol=1e-6)
    cross = found["weight"][("weight",)]["bias"]
    np.testing.assert_allclose(cross, np.stack([np.eye(3)] * 2) * 2 / 3, rtol=1e-6)


def test_hessian_reads_states_that_the_loss_writes():
    w, count = ParamState(jnp.array([1.0, 2.0])), State(jnp.zeros(()))

    def loss():
        count.value += 1
        w.value = w.value * 2
        return (w.value**3).sum()

    found = hessian(loss, w)()
    np.testing.assert_allclose(found, np.diag([48.0, 96.0]))
    assert float(count.value) == 1
    np.testing.assert_array_equal(w.value, [2, 4])


# ---------------------------------------------------------------- higher orders, nesting


def composite_grad(fn, params):
    """The tutorial's."""
    grad_fn = grad(fn, params)
    return lambda *args: grad(grad_fn, params)(*args)


def test_composite_gradient_of_scalars():
    w = ParamState(2.0)
    assert composite_grad(lambda x: w.value**3 * x, w)(5.0) == 60.0


def test_composite_gradient_of_an_argument():
    assert grad(grad(lambda x: x**3))(2.0) == 12.0
    assert grad(grad(grad(lambda x: x**3)))(2.0) == 6.0


def test_composite_gradient_elsewhere_says_what_to_use():
    w = ParamState(jnp.array([1.0, 2.0]))
    before = w.value
    for params in (w, {"w": w}):
        second = composite_grad(lambda: (w.value**3).sum(), params)
        with pytest.raises(TypeError, match=r"scalar output.*vector_grad.*hessian"):
            second()
        assert w.value is before
    assert_same(grad(lambda: (w.value**3).sum(), w)(), jnp.array([3.0, 12.0]))


def test_second_order_by_other_routes():
    w = ParamState(jnp.array([1.0, 2.0]))

    def loss():
        return (w.value**3).sum()

    expected = jnp.array([6.0, 12.0])
    assert_same(vector_grad(grad(loss, w), w)(), expected)
    assert_same(grad(lambda: grad(loss, w)().sum(), w)(), expected)
    assert_same(jacrev(grad(loss, w), w)(), jnp.diag(expected))


@pytest.mark.parametrize("transform", ALL)
def test_inside_jit_and_around_jit(transform):
    weight, gain = layer()
    states = {"w": weight, "g": gain}
    f = jit(lambda x: dense_loss(weight.value, gain.value, x))
    expected = transform(lambda x: dense_loss(weight.value, gain.value, x), states)(X)
    assert_same(transform(f, states)(X), expected)
    assert_same(jit(transform(f, states))(X), expected)


def test_inside_vmap_a_shared_state_gets_a_gradient_per_lane():
    w = ParamState(jnp.array([1.0, 2.0]))
    xs = jnp.arange(3.0)
    found = vmap(lambda x: grad(lambda: (w.value**2).sum() * x, w)())(xs)
    assert_same(found, 2 * xs[:, None] * w.value)


def test_inside_a_loop():
    w = ParamState(jnp.array(1.0))

    def step(x):
        gradient = grad(lambda: (w.value - x) ** 2, w)()
        w.value = w.value - 0.1 * gradient
        return gradient

    xs = jnp.array([3.0, 2.0, 1.0])
    expected, value = [], 1.0
    for x in xs:
        expected.append(2 * (value - float(x)))
        value -= 0.1 * expected[-1]
    np.testing.assert_allclose(for_loop(step, xs), expected, rtol=1e-5)
    np.testing.assert_allclose(w.value, value, rtol=1e-5)


def test_through_time():
    w, h = ParamState(0.5), ShortTermState(jnp.zeros(()))
    xs = jnp.array([1.0, 2.0, 3.0])

    def pure(w):
        def step(h, x):
            h = jnp.tanh(w * h + x)
            return h, h**2

        return jax.lax.scan(step, 0.0, xs)[1].sum()

    def step(x):
        h.value = jnp.tanh(w.value * h.value + x)
        return h.value**2

    def loss():
        h.value = jnp.zeros(())
        return for_loop(step, xs).sum()

    def loss_by_scan():
        h.value = jnp.zeros(())
        return scan(lambda c, x: (c + step(x), None), 0.0, xs)[0]

    for f in (loss, loss_by_scan):
        found, value = grad(f, w, return_value=True)()
        assert_same((value, found), jax.value_and_grad(pure)(0.5))


def test_through_a_branch_that_writes():
    w, h = ParamState(3.0), State(1.0)

    def loss(x):
        def yes():
            h.value = w.value**2

        cond(x > 0, yes, lambda: None)
        return h.value * w.value

    gradient = grad(loss, w)
    assert gradient(1.0) == 27.0
    h.value = 1.0
    assert gradient(-1.0) == 1.0


def test_plain_jax_around():
    w = State(jnp.array([1.0, 2.0]))

    def f(x):
        return grad(lambda y: (w.value * y**2).sum())(x).sum()

    assert_same(jax.grad(f)(jnp.ones(2)), 2 * w.value)
    assert_same(jax.vmap(f)(jnp.ones((3, 2))), jnp.full(3, 6.0))


# ---------------------------------------------------------------- units


def test_gradient_carries_the_parameters_unit_by_default():
    p = ParamState(jnp.array([1.0, 2.0]) * u.mV)
    found = grad(lambda: (u.get_mantissa(p.value) ** 2).sum(), p)()
    assert found.unit == u.mV
    np.testing.assert_array_equal(found.mantissa, [2, 4])


def test_loss_with_a_unit_needs_unit_aware():
    p = ParamState(2.0 * u.mV, name="p")

    def loss():
        return p.value**2

    with pytest.raises(TypeError, match=r"loss returned a quantity in .*unit_aware=True"):
        grad(loss, p)()
    found, value = grad(loss, p, unit_aware=True, return_value=True)()
    assert value.unit == u.mV**2
    assert found.unit == u.mV
    assert float(found.mantissa) == 4.0
