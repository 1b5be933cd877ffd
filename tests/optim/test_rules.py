"""Fifty steps of each rule: against its formula in NumPy, in double precision, or against optax."""

import collections

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import brainstate
from brainstate import optim

STEPS = 50
GRADIENTS = np.random.default_rng(0).normal(size=(STEPS, 6)).astype(np.float32)
START = np.linspace(-1, 1, 6, dtype=np.float32)
PARTS = {"q": slice(0, 2), "w": slice(2, 5), "b": slice(5, 6)}  # each is an array of its own


def rate(i):
    return 0.1 / (1 + 0.2 * i)


# ---------------------------------------------------------------- formulas
# p, g: weight and gradient; s: what is remembered, 0 at first; eta: the rate; t: the step from 1.


def sgd(p, g, s, eta, t, decay=0.0):
    return (1 - decay) * p - eta * g


def momentum(p, g, s, eta, t, mu=0.9, decay=0.0):
    s["v"] = mu * s["v"] + eta * g
    return (1 - decay) * p - s["v"]


def nesterov(p, g, s, eta, t, mu=0.9, decay=0.0):
    s["v"] = mu * s["v"] + eta * g
    return (1 - decay) * p - (mu * s["v"] + eta * g)


def adagrad(p, g, s, eta, t, decay=0.0):
    s["c"] += g**2
    return (1 - decay) * p - eta * g / np.sqrt(s["c"] + 1e-6)


def rmsprop(p, g, s, eta, t, rho=0.9):
    s["c"] = rho * s["c"] + (1 - rho) * g**2
    return p - eta * g / np.sqrt(s["c"] + 1e-6)


def adadelta(p, g, s, eta, t, rho=0.95, decay=0.0):
    s["c"] = rho * s["c"] + (1 - rho) * g**2
    step = g * np.sqrt(s["d"] + 1e-6) / np.sqrt(s["c"] + 1e-6)
    s["d"] = rho * s["d"] + (1 - rho) * step**2
    return (1 - decay) * p - step


def adam(p, g, s, eta, t, b1=0.9, b2=0.999, eps=1e-8, decay=0.0, rated_decay=0.0, amsgrad=False):
    s["m"] = b1 * s["m"] + (1 - b1) * g
    s["v"] = b2 * s["v"] + (1 - b2) * g**2
    s["vmax"] = np.maximum(s["vmax"], s["v"])
    root = np.sqrt((s["vmax"] if amsgrad else s["v"]) / (1 - b2**t))
    return (1 - decay - eta * rated_decay) * p - eta * s["m"] / (1 - b1**t) / (root + eps)


def lars(p, g, s, eta, t, mu=0.9, decay=1e-4, tc=1e-3, eps=1e-5):
    norm, gradient_norm = np.linalg.norm(p), np.linalg.norm(g)
    ratio = tc * norm / (gradient_norm + decay * norm + eps) if norm and gradient_norm else 1
    s["m"] = mu * s["m"] + eta * ratio * (g + decay * p)
    return p - s["m"]


def adan(p, g, s, eta, t, prox=0.02, decay=0.0):
    b1, b2, b3 = 0.02, 0.08, 0.01
    d = g - s["g"] if t > 1 else 0 * g
    s["g"] = g
    s["m"] = (1 - b1) * s["m"] + b1 * g
    s["v"] = (1 - b2) * s["v"] + b2 * d
    s["n"] = (1 - b3) * s["n"] + b3 * (g + (1 - b2) * d) ** 2
    m, v, n = (s[k] / (1 - (1 - b) ** t) for k, b in (("m", b1), ("v", b2), ("n", b3)))
    step = eta * (m + (1 - b2) * v) / (np.sqrt(n) + 1e-8)
    return (p * (1 - decay * eta) - step) / (1 + prox * eta)


def by_formula(formula, **parameters):
    def run():
        p, memory = START.astype(float), {k: collections.defaultdict(float) for k in PARTS}
        for t, g in enumerate(GRADIENTS.astype(float), 1):
            steps = [
                formula(p[at], g[at], memory[k], rate(t - 1), t, **parameters)
                for k, at in PARTS.items()
            ]
            p = np.concatenate(steps)
        return p

    return run


def by_optax(tx):
    def run():
        def step(carry, g):
            p, state = carry
            updates, state = tx.update(g, state, p)
            return (optax.apply_updates(p, updates), state), None

        return jax.lax.scan(step, (START, tx.init(jnp.asarray(START))), GRADIENTS)[0][0]

    return run


RULES = [
    (lambda lr: optim.SGD(lr, 0.01), by_formula(sgd, decay=0.01)),
    (lambda lr: optim.Momentum(lr, 0.5, 0.01), by_formula(momentum, mu=0.5, decay=0.01)),
    (lambda lr: optim.MomentumNesterov(lr, 0.01, 0.8), by_formula(nesterov, mu=0.8, decay=0.01)),
    (lambda lr: optim.Adagrad(lr, 0.01), by_formula(adagrad, decay=0.01)),
    (lambda lr: optim.Adadelta(lr, 0.01), by_formula(adadelta, decay=0.01)),
    (lambda lr: optim.RMSProp(lr, rho=0.5), by_formula(rmsprop, rho=0.5)),
    (
        lambda lr: optim.Adam(lr, 0.8, 0.9, 1e-4, 0.1),
        by_formula(adam, b1=0.8, b2=0.9, eps=1e-4, decay=0.1),
    ),
    (lambda lr: optim.AdamW(lr), by_formula(adam, rated_decay=0.01)),
    (
        lambda lr: optim.AdamW(lr, 0.8, 0.5, 1e-3, 0.1, amsgrad=True),
        by_formula(adam, b1=0.8, b2=0.5, eps=1e-3, rated_decay=0.1, amsgrad=True),
    ),
    (lambda lr: optim.LARS(lr), by_formula(lars)),
    (
        lambda lr: optim.LARS(lr, 0.5, None, tc=0.5, eps=1e-2),
        by_formula(lars, mu=0.5, decay=0.0, tc=0.5, eps=1e-2),
    ),
    (lambda lr: optim.Adan(lr), by_formula(adan)),
    (lambda lr: optim.Adan(lr, no_prox=True), by_formula(adan, prox=0.0, decay=0.02)),
    (lambda lr: optim.Nadam(lr), by_optax(optax.nadam(rate))),
    (lambda lr: optim.RAdam(lr, beta2=0.9), by_optax(optax.radam(rate, b2=0.9))),
    (lambda lr: optim.Adamax(lr), by_optax(optax.adamax(rate))),
    (lambda lr: optim.Lion(lr, weight_decay=0.1), by_optax(optax.lion(rate, weight_decay=0.1))),
]


@pytest.mark.parametrize(("make", "reference"), RULES)
def test_fifty_steps(make, reference):
    def trained(compiled):
        optimizer = make(rate)
        weights = {
            "q": brainstate.ParamState(START[PARTS["q"]] * u.mV),
            "l": brainstate.ParamState({k: jnp.asarray(START[PARTS[k]]) for k in "wb"}),
        }
        optimizer.register_trainable_weights(weights)

        def update(g):
            optimizer.update({"q": g[:2] / u.mV, "l": {"w": g[2:5], "b": g[5:]}})

        if compiled:
            brainstate.compile.for_loop(update, GRADIENTS)
        else:
            for g in GRADIENTS:
                update(g)
        inner = weights["l"].value
        return np.concatenate([weights["q"].value.to_decimal(u.mV), inner["w"], inner["b"]])

    expected = reference()
    assert np.abs(expected - START).max() > 1e-3
    np.testing.assert_allclose(trained(compiled=True), expected, rtol=2e-5, atol=2e-6)
    np.testing.assert_allclose(trained(compiled=False), expected, rtol=2e-5, atol=2e-6)


# ---------------------------------------------------------------- worked by hand


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: optim.SGD(0.1, weight_decay=0.01), 0.94),
        (lambda: optim.Adam(0.1, weight_decay=0.01), 0.89),
        (lambda: optim.AdamW(0.1, weight_decay=0.01), 0.899),
        (lambda: optim.Momentum(0.1), 0.95),
    ],
)
def test_one_step(make, expected):
    weight, optimizer = brainstate.ParamState(jnp.float32(1.0)), make()
    optimizer.register_trainable_weights({"w": weight})
    optimizer.update({"w": jnp.float32(0.5)})
    np.testing.assert_allclose(weight.value, expected, rtol=1e-5)


def test_textbook_adam():
    weight, optimizer = brainstate.ParamState(jnp.ones(1)), optim.Adam(0.1)
    optimizer.register_trainable_weights({"w": weight})
    found = []
    for gradient in (0.5, 1.0, 1.5):
        optimizer.update({"w": jnp.array([gradient])})
        found.append(float(weight.value[0]))
    np.testing.assert_allclose(found, [0.9, 0.80348, 0.70768], rtol=1e-5)
    assert optimizer.step_count.value == 3


def test_lars_where_a_norm_is_zero():
    weights = {k: brainstate.ParamState(jnp.full(2, v)) for k, v in (("zero", 0.0), ("one", 1.0))}
    optimizer = optim.LARS(0.1, momentum=0.0, weight_decay=None)
    optimizer.register_trainable_weights(weights)
    optimizer.update({"zero": jnp.ones(2), "one": jnp.zeros(2)})
    np.testing.assert_allclose(weights["zero"].value, -0.1, rtol=1e-6)
    np.testing.assert_array_equal(weights["one"].value, 1.0)


# ---------------------------------------------------------------- what is remembered

SLOTS = {
    optim.SGD: [],
    optim.Momentum: ["momentum_states"],
    optim.MomentumNesterov: ["momentum_states"],
    optim.LARS: ["momentum_states"],
    optim.Lion: ["momentum_states"],
    optim.Adagrad: ["cache_states"],
    optim.RMSProp: ["cache_states"],
    optim.Adadelta: ["cache_states", "delta_states"],
    optim.Adam: ["m1_states", "m2_states"],
    optim.AdamW: ["m1_states", "m2_states"],
    lambda lr: optim.AdamW(lr, amsgrad=True): ["m1_states", "m2_states", "vmax_states"],
    optim.Adan: ["exp_avg_diff_states", "exp_avg_sq_states", "exp_avg_states", "pre_grad_states"],
}


@pytest.mark.parametrize("make", SLOTS)
def test_slots_are_states_under_the_keys_of_the_weights(make):
    optimizer, key = make(0.1), ("l", "weight")
    value = {"w": jnp.ones((2, 3)) * u.mV, "b": jnp.ones(3, jnp.bfloat16)}
    optimizer.register_trainable_weights({key: brainstate.ParamState(value)})
    found = brainstate.graph.states(optimizer)
    slots = [path[0] for path in found if path[1:] == (key,)]
    assert slots == SLOTS[make]
    others = set(found) - {(slot, key) for slot in slots}
    counts = {("step_count",)} if hasattr(optimizer, "step_count") else set()
    assert others == {("lr", "_lr"), ("lr", "last_epoch"), *counts}
    assert all(type(state) is optim.OptimState for state in found.values())
    for name in slots:
        slot = getattr(optimizer, name)[key].value
        assert {k: (v.shape, v.dtype.name) for k, v in slot.items()} == {
            "w": ((2, 3), "float32"), "b": ((3,), "bfloat16")
        }  # fmt: skip
        assert not any(leaf.any() for leaf in slot.values())


def test_what_is_remembered_keeps_its_type():
    weight = brainstate.ParamState(jnp.ones(2, jnp.bfloat16))
    optimizers = [make(0.1) for make in SLOTS]
    for optimizer in optimizers:
        optimizer.register_trainable_weights({"w": weight})

    @brainstate.compile.jit
    def update():
        for optimizer in optimizers:
            optimizer.update({"w": jnp.ones(2, jnp.float32)})

    before = list(map(brainstate.nn.save_all_states, optimizers))
    update()
    after = list(map(brainstate.nn.save_all_states, optimizers))
    assert jax.tree.map(jnp.result_type, after) == jax.tree.map(jnp.result_type, before)
    assert weight.value.dtype == jnp.bfloat16


# ---------------------------------------------------------------- parameters


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: optim.SGD(0.1, weight_decay=-0.1), r"weight_decay .*\[0, 1\].*-0.1"),
        (lambda: optim.SGD(0.1, weight_decay=1.1), r"weight_decay .*1.1"),
        (lambda: optim.Momentum(0.1, momentum=1.0), r"momentum .*\[0, 1\).*1.0"),
        (lambda: optim.RMSProp(0.1, rho=2.0), r"rho .*2.0"),
        (lambda: optim.Adagrad(0.1, epsilon=-1.0), r"epsilon .*at least 0.*-1.0"),
        (lambda: optim.AdamW(0.1, beta1=1.0), r"beta1 .*1.0"),
        (lambda: optim.AdamW(0.1, eps=-1e-8), r"eps .*-1e-08"),
        (lambda: optim.Adan(betas=(0.1, 0.2, 1.0)), r"betas .*1.0"),
        (lambda: optim.Adan(betas=(0.1, 0.2)), r"betas .*three"),
        (lambda: optim.SGD(0.1, clip_norm=0.0), r"clip_norm .*positive.*0.0"),
        (lambda: optim.SGD(0.1, clip_value=-1), r"clip_value .*positive.*-1"),
        (lambda: optim.SGD(0.1, accumulate=0), r"accumulate .*1 up.*0"),
    ],
)
def test_parameters_out_of_range(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("wrong", ["fast", brainstate.State(0.9), None])
def test_parameters_are_plain_numbers(wrong):
    with pytest.raises(TypeError, match=r"beta1 .*only `lr`"):
        optim.Adam(0.1, beta1=wrong)


def test_compiled_steps_follow_parameters():
    weight, optimizer = brainstate.ParamState(jnp.float32(1.0)), optim.Momentum(0.1, momentum=0.5)
    optimizer.register_trainable_weights({"w": weight})
    step = brainstate.compile.jit(lambda: optimizer.update({"w": jnp.float32(1.0)}))
    step()
    optimizer.momentum = 0.0
    step()
    np.testing.assert_allclose(weight.value, 0.8, rtol=1e-6)
