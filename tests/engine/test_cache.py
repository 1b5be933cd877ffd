"""Programs kept for the next call, and found again where they are right."""

import gc
import weakref

import jax
import jax.numpy as jnp
import pytest

import brainstate
from brainstate._engine.cache import ProgramCache, is_repeatable, signature
from brainstate._engine.frames import Frame
from brainstate._engine.guards import Guards
from brainstate._engine.program import trace
from brainstate.graph import Node


class Body:
    """A body that looks at a State, an attribute and a setting, and counts its traces."""

    def __init__(self):
        self.cache, self.traces = ProgramCache(), 0
        self.state, self.node = brainstate.State(jnp.float32(1.0)), Node()
        self.node.k = 2.0

    def __call__(self, x):
        self.traces += 1
        return x * self.state.value * self.node.k * brainstate.environ.get("gain", 1.0)

    def program(self, *args):
        leaves, tree = jax.tree.flatten(args)
        return self.cache.get(
            signature(leaves, tree), lambda guards: trace(self, args, guards=guards)
        )


def test_program_is_found_again():
    body = Body()
    with Frame():
        program = body.program(1.0)
        assert body.program(2.0) is program
        body.state.value = jnp.float32(5.0)
        assert body.program(2.0) is program
    assert body.traces == 1


CHANGES = {
    "type of the argument": lambda body: body.program(1),
    "shape of the argument": lambda body: body.program(jnp.ones(2)),
    "shape of a State": lambda body: setattr(body.state, "value", jnp.ones(2)),
    "type of a State": lambda body: setattr(body.state, "value", 1.0),
    "attribute": lambda body: setattr(body.node, "k", 3.0),
}


@pytest.mark.parametrize("name", CHANGES)
def test_another_program_for_another(name):
    body = Body()
    with Frame():
        program = body.program(1.0)
        CHANGES[name](body)
        other = body.program(1.0)
        assert body.traces == 2
        assert (other is program) == ("argument" in name)
        assert body.program(1.0) is other


def test_another_program_for_another_setting():
    body = Body()
    with Frame():
        program = body.program(1.0)
        with brainstate.environ.context(gain=2.0):
            assert body.program(1.0) is not program
        assert body.program(1.0) is program
    assert body.traces == 2


def test_nothing_is_found_after_clearing():
    body = Body()
    with Frame():
        program = body.program(1.0)
        body.cache.clear()
        assert body.program(1.0) is not program


@pytest.mark.parametrize("effect", ["none", "write", "State", "node", "edit"])
def test_programs_with_effects_on_objects_are_not_kept(effect):
    node, state = Node(), brainstate.State(1.0)
    node.k = 1

    def body():
        if effect == "write":
            state.value = 2.0
        elif effect == "State":
            brainstate.State(1.0)
        elif effect == "node":
            Node()
        elif effect == "edit":
            node.k = 2

    assert is_repeatable(trace(body, ())) == (effect in ("none", "write"))


def test_programs_that_close_over_tracers_are_kept_by_their_frame():
    cache, traces = ProgramCache(), []

    def outer(x):
        def body(y):
            traces.append(1)
            return x * y

        def get():
            leaves, tree = jax.tree.flatten(((1.0,), {}))
            return cache.get(signature(leaves, tree), lambda g: trace(body, (1.0,), guards=g))

        first = get()
        assert first.closes_over_tracers
        assert get() is first
        return x

    for expected in (1, 2):
        trace(outer, (3.0,))
        assert len(traces) == expected


def test_facts_of_a_kept_program_are_facts_of_what_uses_it():
    body = Body()
    guards = [Guards(), Guards()]
    for own in guards:
        trace(lambda: body.program(1.0) and None, (), guards=own)
    assert body.traces == 1
    for own in guards:
        assert "k" in {kind for _, kind in own.facts}
        assert "gain" in own.settings


def test_the_cache_is_bounded():
    cache = ProgramCache()
    programs = {}

    def get(n):
        leaves, tree = jax.tree.flatten((jnp.ones(n),))
        return cache.get(signature(leaves, tree), lambda g: trace(lambda x: x, (jnp.ones(n),)))

    with Frame():
        for n in range(1, 81):
            programs[n] = get(n)
        assert get(80) is programs[80]
        assert get(1) is not programs[1]


def test_signature_tells_types_apart():
    def of(*args):
        return signature(*jax.tree.flatten(args))

    assert of(jnp.ones(2), 1.0) == of(jnp.zeros(2), 2.0)
    assert hash(of(jnp.ones(2))) == hash(of(jnp.zeros(2)))
    different = [
        of(1),
        of(1.0),
        of(jnp.float32(1)),
        of(jnp.ones(1)),
        of([1]),
        of({"a": 1}),
        of(1, 1),
    ]
    assert len(set(different)) == len(different)


def test_what_closes_over_tracers_stays_until_its_body_ends():
    """Else another cache could get its address, and find the programs of this one."""
    caches = []

    def body(x):
        cache = ProgramCache()
        caches.append(weakref.ref(cache))
        program = cache.get("key", lambda guards: trace(lambda: 2.0 * x, (), guards=guards))
        assert program.closes_over_tracers
        del cache
        gc.collect()
        assert caches[0]() is not None
        return x

    brainstate.transform.jit(body)(1.0)
    gc.collect()
    assert caches[0]() is None
