"""`for_loop(..., memory=...)`: values and gradients of the plain loop, within the memory given."""

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from brainstate import ParamState, State, random
from brainstate.augment import grad, vmap
from brainstate.compile import for_loop, jit, scan

SIZE = 256


def recurrent(product, steps, inputs=()):
    """A training loss of a recurrent network, with its weights; `loss(xs, **options)`."""
    rng = np.random.default_rng(0)
    shape = (SIZE, SIZE) if product else (SIZE,)
    w = ParamState(jnp.asarray(rng.normal(size=shape) / 16, jnp.float32))
    h = State(jnp.zeros(SIZE))
    xs = jnp.asarray(rng.random((steps, *inputs)), jnp.float32)

    def step(x):
        a = h.value @ w.value if product else h.value * w.value
        h.value = jnp.tanh(a + x) * jnp.exp(-a * a)
        return h.value.sum()

    def gradient(xs, **options):
        def loss():
            h.value = jnp.zeros(SIZE)
            return (for_loop(step, xs, **options) ** 2).sum() + (h.value**2).sum()

        return grad(loss, w, return_value=True)()

    return gradient, xs


def peak(gradient, xs, **options):
    """Bytes that the compiled program takes besides its inputs and outputs."""
    compiled = jit(lambda xs: gradient(xs, **options)).lower(xs).compile()
    return compiled.memory_analysis().temp_size_in_bytes


def lean(gradient, xs):
    """The leanest budget, as the error for a smaller one says."""
    with pytest.raises(ValueError, match="bytes are too few") as caught:
        gradient(xs, memory=1)
    return int(str(caught.value).split("needs ")[1].split(" bytes")[0].replace(",", ""))


@pytest.mark.parametrize(("product", "steps", "inputs"), [
    (True, 400, ()), (True, 997, (SIZE,)), (False, 101, ()), (False, 2500, ())
])  # fmt: skip
def test_fits_and_agrees(product, steps, inputs):
    gradient, xs = recurrent(product, steps, inputs)
    plain, expected = peak(gradient, xs), gradient(xs)
    least = lean(gradient, xs)
    for budget in {max(int(plain * share), least) for share in (0.4, 0.005)}:
        assert peak(gradient, xs, memory=budget) <= budget
        for a, b in zip(gradient(xs, memory=budget), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5 * float(jnp.max(jnp.abs(b))))
    assert least < plain / 2


def test_plenty_is_the_plain_loop():
    gradient, xs = recurrent(True, 30)
    texts = [
        jit(lambda xs, o=o: gradient(xs, **o)).lower(xs).as_text() for o in ({}, {"memory": "1 GB"})
    ]
    assert texts[0] == texts[1]


def sines(steps, memory):
    """How often a sine is computed for a loss of this many steps, in the forward pass or again."""
    count = []

    def noted(x):
        jax.debug.callback(lambda _: count.append(1), x)
        return x

    def loss(k):
        carry, _ = scan(
            lambda c, x: (jnp.sin(noted(c) * k) + x, None), jnp.ones(50), jnp.ones(steps),
            memory=memory,
        )  # fmt: skip
        return carry.sum()

    grad(loss)(2.0)
    jax.effects_barrier()
    return len(count)


def test_computes_again_no_more_than_it_must():
    counts = [sines(60, memory) for memory in (100_000, 20_000, 16_000, 10_000, 5000)]
    assert counts[0] == 60  # nothing twice
    assert sorted(counts) == counts
    assert 60 < counts[2] < 120 <= counts[-1]


def test_states_outputs_and_draws_of_the_plain_loop():
    s, key = State(0.0), []

    def body(c, x):
        s.value = s.value + random.rand() * x["a"]
        return c + x["b"].sum(), {"s": s.value, "b": x["b"] * 2.0}

    for n, reverse in ((0, False), (1, False), (23, False), (23, True)):
        xs = {"a": jnp.arange(float(n)), "b": jnp.ones((n, 2)) * u.mV}
        for memory in (None, 700, "1kB"):
            s.value = 0.0
            with random.seed_context(0):
                out = scan(body, 0.0 * u.mV, xs, reverse=reverse, memory=memory)
            key.append((out, s.value))
        for found in key[1:]:
            for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(key[0]), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-6)
        key.clear()


def test_inside_other_transformations():
    def total(k, memory):
        return scan(lambda c, x: (jnp.sin(c) + x * k, None), k, jnp.ones(40), memory=memory)[0]

    ks = jnp.arange(3.0)
    for transform in (vmap, lambda f: vmap(grad(f)), lambda f: jit(vmap(grad(grad(f))))):
        found, expected = (transform(lambda k, m=m: total(k, m))(ks) for m in (150, None))
        np.testing.assert_allclose(found, expected, rtol=1e-4)
    with jax.disable_jit():
        np.testing.assert_allclose(total(2.0, 200), total(2.0, None), rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "count"), [("64MB", 64 * 10**6), ("1.5 GiB", 3 * 2**29), ("700", 700), ("2kb", 2000)]
)
def test_sizes(text, count):
    from brainstate.compile.memory_budget import as_bytes

    assert as_bytes("for_loop", text) == as_bytes("for_loop", count) == count


@pytest.mark.parametrize("memory", [0, -5, True, 1.5, "64 apples", "", "MB", "0kB", [3]])
def test_bad_sizes(memory):
    for loop in ("for_loop", "scan"):
        call = {"for_loop": lambda x: for_loop(lambda x: x, x, memory=memory)}.get(
            loop, lambda x: scan(lambda c, x: (c, x), 0, x, memory=memory)
        )
        with pytest.raises(ValueError, match=rf'{loop}: memory is a number of bytes, or.*"64MB"'):
            call(jnp.ones(3))


def test_too_little_says_how_much_is_needed():
    s = State(jnp.zeros(100))

    def step(x):
        s.value = jnp.sin(s.value + x)

    message = r"memory=300 bytes are too few for this loop of 50 steps: it needs [\d,]+ bytes"
    with pytest.raises(ValueError, match=message):
        for_loop(step, jnp.ones(50), memory=300)
    assert not s.value.any()
