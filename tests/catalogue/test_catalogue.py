"""What every module promises, whatever it computes."""

import copy
import importlib
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import ParamState, ShortTermState, nn
from brainstate import transform as bt

FILES = sorted(path.stem for path in Path(__file__).parent.glob("[!t]*.py"))
ENTRIES = [
    entry
    for name in FILES
    for entry in getattr(importlib.import_module(f"catalogue.{name}"), "ENTRIES", ())
]
LANES = 3

every = pytest.mark.parametrize("entry", ENTRIES, ids=repr)
smooth = pytest.mark.parametrize("entry", [e for e in ENTRIES if e.differentiable], ids=repr)
mapped = pytest.mark.parametrize("entry", [e for e in ENTRIES if e.batched], ids=repr)
checked = pytest.mark.parametrize("entry", [e for e in ENTRIES if e.wrong], ids=repr)


def built(entry, batch_size=None):
    """The module, the same one each time, with the States of a run."""
    brainstate.random.seed(0)
    return nn.init_all_states(entry.make(), batch_size)


def steps(entry, model, inputs, count=2):
    """What `count` calls return."""
    with brainstate.environ.context(**entry.settings()):
        return [model(*inputs) for _ in range(count)]


def values(model):
    return [state.value for state in model.states().values()]


def is_float(x):
    return jnp.issubdtype(jnp.result_type(x), jnp.floating)


def assert_close(found, expected, rtol=1e-5, atol=1e-6):
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert jnp.result_type(a) == jnp.result_type(b)
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


def total(tree):
    leaves = [x for x in jax.tree.leaves(tree) if is_float(x)]
    return sum((jnp.sum(jnp.sin(x)) for x in leaves), start=jnp.zeros(()))


@every
def test_transformations_do_what_plain_calls_do(entry):
    inputs, plain = entry.inputs(), built(entry)
    expected = steps(entry, plain, inputs)
    for transform in (
        lambda f: bt.jit(f)(),
        lambda f: bt.cond(True, bt.checkpoint(f), lambda: expected),
    ):
        model = built(entry)
        assert_close(transform(lambda: steps(entry, model, inputs)), expected)  # noqa: B023
        assert_close(values(model), values(plain))
    model = built(entry)
    looped = bt.for_loop(lambda: steps(entry, model, inputs, 1)[0], length=2)
    assert_close(looped, jax.tree.map(lambda *ys: jnp.stack(ys), *expected))
    assert_close(values(model), values(plain))


@smooth
def test_reverse_and_forward_mode_agree(entry):
    """The slope along one direction, from all parameters and float inputs."""
    model, inputs = built(entry), entry.inputs()
    weights = list(model.states(ParamState).values())
    smooth_inputs = [i for i, x in enumerate(inputs) if all(map(is_float, jax.tree.leaves(x)))]

    def loss(values, args):
        for state, value in zip(weights, values, strict=True):
            state.value = value
        full = list(inputs)
        for i, arg in zip(smooth_inputs, args, strict=True):
            full[i] = arg
        return total(steps(entry, model, full))

    start = [w.value for w in weights], [inputs[i] for i in smooth_inputs]
    assert jax.tree.leaves(start)
    direction = jax.tree.map(lambda x: jnp.cos(jnp.arange(jnp.size(x))).reshape(x.shape), start)
    with brainstate.random.seed_context(1):
        nn.reset_all_states(model)  # which may draw
        slope = bt.jit(lambda: bt.jvp(loss, start, direction)[1])()
    with brainstate.random.seed_context(1):
        nn.reset_all_states(model)
        gradient = bt.jit(lambda: bt.grad(loss, argnums=(0, 1))(*start))()
    pairs = zip(jax.tree.leaves(gradient), jax.tree.leaves(direction), strict=True)
    found = sum(float(jnp.vdot(g, d)) for g, d in pairs)
    assert np.isfinite(found)
    assert any(np.any(g) for g in jax.tree.leaves(gradient))
    np.testing.assert_allclose(found, slope, rtol=1e-3, atol=1e-4)


@mapped
def test_lanes_and_batches_are_samples_side_by_side(entry):
    def scaled(factor):
        return [
            jax.tree.map(lambda x: (x * factor).astype(x.dtype) if is_float(x) else x, arg)
            for arg in entry.inputs()
        ]

    samples = [scaled(1.0 + 0.25 * lane) for lane in range(LANES)]
    batch = jax.tree.map(lambda *xs: jnp.stack(xs), *samples)
    axes = bt.StateAxes({"new": 0, ...: None})

    brainstate.random.seed(0)
    model = entry.make()
    nn.vmap_init_all_states(model, axis_size=LANES, state_tag="new")
    run = bt.vmap(lambda model, args: steps(entry, model, args), in_axes=(axes, 0), axis_size=LANES)
    lanes = run(model, batch)
    batched = steps(entry, built(entry, LANES), batch)
    if entry.random:
        for found in (lanes, batched):
            assert [x.shape[0] for x in jax.tree.leaves(found)] == [LANES] * len(
                jax.tree.leaves(found)
            )
        return
    alone = [steps(entry, built(entry), sample) for sample in samples]
    expected = jax.tree.map(lambda *ys: jnp.stack(ys), *alone)
    assert_close(lanes, expected, rtol=1e-4, atol=1e-5)
    assert_close(batched, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("entry", [e for e in ENTRIES if e.follows_precision], ids=repr)
def test_floats_are_as_wide_as_environ_says(entry):
    with brainstate.environ.context(precision=64):
        model = built(entry)
        out = bt.jit(lambda: steps(entry, model, entry.inputs()))()
        for leaf in jax.tree.leaves((out, values(model))):
            assert not is_float(leaf) or leaf.dtype == jnp.float64


@checked
def test_wrong_inputs_are_refused_by_name(entry):
    inputs, error, text = entry.wrong
    owner = nn.Module()
    owner.part = entry.make()
    nn.init_all_states(owner)
    before = values(owner)
    with pytest.raises(error, match=text):
        steps(entry, owner.part, inputs())
    assert_close(values(owner), before)


@every
def test_copies_are_equal_and_apart(entry):
    model, inputs = built(entry), entry.inputs()
    twin = copy.deepcopy(model)
    with brainstate.random.seed_context(2):
        expected = bt.jit(lambda: steps(entry, model, inputs))()
    with brainstate.random.seed_context(2):
        found = bt.jit(lambda: steps(entry, twin, inputs))()
    assert_close(found, expected)
    shared = {*map(id, model.states().values())} & {*map(id, twin.states().values())}
    assert not shared


@every
def test_reset_goes_back_to_the_start(entry):
    """What belongs to a run is as at its start; parameters and other lasting States are kept."""
    model, inputs = built(entry), entry.inputs()
    states = model.states()
    start = {path: state.value for path, state in states.items()}
    bt.jit(lambda: steps(entry, model, inputs))()
    ended = {path: state.value for path, state in states.items()}
    nn.reset_all_states(model)
    assert model.states() == states
    for path, state in states.items():
        resets = isinstance(state, ShortTermState)
        if not (resets and entry.random):
            assert_close(state.value, (start if resets else ended)[path])
