"""Learning rates by filter."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import optim
from brainstate.util.filter import PathContains


def weights_by_layer():
    return {(layer, "weight"): brainstate.ParamState(jnp.ones(2)) for layer in "abc"}


def ones(weights):
    return {key: jnp.ones(2) for key in weights}


def moved(weights):
    return [round(float(1 - state.value[0]), 5) for state in weights.values()]


def test_the_first_filter_that_matches_gives_the_rate():
    weights = weights_by_layer()
    opt = optim.SGD({PathContains("a"): 0.1, PathContains("b"): None, ...: 0.3}, clip_norm=100.0)
    opt.register_trainable_weights(weights)
    opt.update(ones(weights))
    assert moved(weights) == [0.1, 0.0, 0.3]
    frozen = ("b", "weight")
    opt.update({key: g for key, g in ones(weights).items() if key != frozen})
    assert moved(weights) == [0.2, 0.0, 0.6]


def test_types_and_tags_and_plain_keys_are_filters_too():
    class Slow(brainstate.ParamState):
        pass

    weights = {
        "w": brainstate.ParamState(jnp.ones(2)),
        "slow": Slow(jnp.ones(2)),
        "tagged": brainstate.ParamState(jnp.ones(2), tag="new"),
    }
    opt = optim.SGD({Slow: 0.01, "new": 0.2, PathContains("w"): 0.1})
    opt.register_trainable_weights(weights)
    opt.update(ones(weights))
    assert moved(weights) == [0.1, 0.01, 0.2]


def test_frozen_weights_take_no_memory_and_do_not_count_for_the_norm():
    weights = weights_by_layer()
    opt = optim.Adam({PathContains("a"): 0.1, ...: None}, clip_norm=1.0)
    opt.register_trainable_weights(weights)
    assert list(opt.m1_states) == [("a", "weight")]
    opt.update({**ones(weights), ("b", "weight"): jnp.full(2, jnp.nan)})
    assert moved(weights) == [0.1, 0.0, 0.0]


def test_groups_have_schedules_states_and_functions():
    weights, state = weights_by_layer(), brainstate.State(0.1)
    schedule = optim.ExponentialDecayLR(0.2, 1, 0.5)
    opt = optim.SGD(
        {PathContains("a"): state, PathContains("b"): schedule, ...: lambda i: jnp.where(i, 0, 1.0)}
    )
    opt.register_trainable_weights(weights)
    assert schedule in opt.lr.schedules
    step = brainstate.compile.jit(lambda: opt.update(ones(weights)))
    step()
    assert moved(weights) == [0.1, 0.2, 1.0]
    state.value = jnp.float32(0.5)
    step()
    assert moved(weights) == [0.6, 0.3, 1.0]
    opt.lr[PathContains("b")] = 0.4
    step()
    assert moved(weights) == [1.1, 0.4, 1.0]
    opt.lr.step_epoch()
    assert opt.lr[PathContains("b")].last_epoch.value == 0


def test_a_schedule_of_two_groups_counts_once():
    schedule = optim.ExponentialDecayLR(1.0, 1, 0.5)
    weights = weights_by_layer()
    opt = optim.SGD({PathContains("a"): schedule, ...: schedule})
    opt.register_trainable_weights(weights)
    opt.update(ones(weights))
    assert schedule.last_call.value == 0


def test_freezing_and_thawing():
    weights = weights_by_layer()
    opt = optim.Momentum({PathContains("a"): None, ...: 0.1}, momentum=0.0)
    opt.register_trainable_weights(weights)
    step = brainstate.compile.jit(lambda: opt.update(ones(weights)))
    step()
    opt.lr[PathContains("a")] = 0.2
    with pytest.raises(ValueError, match=r"'a', 'weight'.*frozen.*register_trainable_weights"):
        step()
    opt.register_trainable_weights()
    opt.lr[...] = None
    step()
    assert moved(weights) == [0.2, 0.1, 0.1]


def test_what_makes_no_groups():
    weights = weights_by_layer()
    with pytest.raises(ValueError, match=r"none matches \('b', 'weight'\).*`\.\.\.`"):
        optim.SGD({PathContains("a"): 0.1}).register_trainable_weights(weights)
    with pytest.raises(ValueError, match="last of the filters"):
        optim.SGD({...: 0.1, "tag": 0.2})
    with pytest.raises(TypeError, match="learning rate"):
        optim.SGD({...: "fast"})
    opt = optim.SGD({...: 0.1})
    with pytest.raises(TypeError, match=r"optimizer\.lr\[filter\]"):
        opt.lr = 0.2
    with pytest.raises(KeyError, match="No group 'new'"):
        opt.lr["new"] = 0.2
    with pytest.raises(TypeError, match="new optimizer"):
        optim.SGD(0.1).lr = {...: 0.1}


def test_rates_of_groups_are_states_of_the_optimizer():
    opt = optim.Adam({PathContains("a"): 0.1, PathContains("b"): None, ...: 0.3})
    found = brainstate.nn.save_all_states(opt.lr)
    assert list(found) == [("schedules", i, name) for i in (0, 2) for name in ("_lr", "last_epoch")]
    jax.tree.map(np.asarray, found)
