"""`help()` shows each public name well, and `python -m brainstate` shows whether all works."""

import functools
import importlib
import inspect
import pydoc
import re

import jax
import numpy as np
import pytest

import brainstate
from brainstate import __main__ as self_test

WIDEST = 100  # of a line of help
ROOMS = [
    "brainstate",
    *(f"brainstate.{name}" for name in brainstate.__all__ if name.islower()),
]
ROOMS = [room for room in ROOMS if inspect.ismodule(pydoc.locate(room))]
VALUES = {"brainstate.__version__", "brainstate.nn.MAX_ORDER"}  # a number and a string


def public_objects():
    """Each object once, under the first of its names, without aliases of types."""
    seen = {}
    for room in ROOMS:
        module = importlib.import_module(room)
        for name in module.__all__:
            found = getattr(module, name)
            if inspect.ismodule(found) or inspect.isroutine(found) or inspect.isclass(found):
                seen.setdefault(id(found), (f"{room}.{name}", found))
            else:
                seen.setdefault(f"{room}.{name}", (f"{room}.{name}", found))
    return dict(seen.values())


OBJECTS = public_objects()
DOCUMENTED = {
    name: found
    for name, found in OBJECTS.items()
    if name not in VALUES and not name.startswith("brainstate.typing.")
}


def members(kind):
    """What a class of ours defines for its users."""
    for name, member in vars(kind).items():
        if not name.startswith("_") and (
            inspect.isroutine(member) or isinstance(member, (property, functools.cached_property))
        ):
            yield name, getattr(kind, name)


def is_ours(found):
    return getattr(found, "__module__", "").startswith("brainstate")


def test_there_are_rooms_and_names():
    assert {"brainstate.nn", "brainstate.visualize", "brainstate.random"} <= set(ROOMS)
    assert len(DOCUMENTED) > 500


@pytest.mark.parametrize("room", ROOMS)
def test_names_are_listed_once_and_exist(room):
    module = importlib.import_module(room)
    assert len(set(module.__all__)) == len(module.__all__)
    assert set(module.__all__) <= set(dir(module))


def test_each_name_says_in_a_line_what_it_is():
    found = []
    for name, thing in DOCUMENTED.items():
        lines = (inspect.getdoc(thing) or "").splitlines() or [""]
        summary, gap = lines[0], lines[1:2]
        if not re.search(r"[.:!?]$", summary) or gap not in ([], [""]):
            found.append(f"{name}: {summary!r}")
        if isinstance(thing, type) and thing.__doc__ is None and not is_ours(thing.__mro__[1]):
            found.append(f"{name}: has the docstring of {thing.__mro__[1]}")
        found += [f"{name}: {line}" for line in lines if len(line) > WIDEST]
    assert found == []


def test_each_public_member_of_a_class_has_a_docstring():
    classes = {name: c for name, c in DOCUMENTED.items() if isinstance(c, type) and is_ours(c)}
    found = [
        f"{name}.{member}"
        for name, kind in classes.items()
        for member, thing in members(kind)
        if not inspect.getdoc(thing)
    ]
    assert found == []


def test_no_signature_shows_an_address():
    found = []
    for name, thing in DOCUMENTED.items():
        own = dict(members(thing)) if isinstance(thing, type) and is_ours(thing) else {}
        for member in [thing, *own.values()]:
            try:
                signature = str(inspect.signature(member))
            except (TypeError, ValueError):  # a module, a property, a builtin
                continue
            if " at 0x" in signature:
                found.append(f"{name}: {member} {signature}")
    assert found == []


@pytest.mark.parametrize("name", ["State", "nn.LIF", "compile.for_loop", "random", "transform.jit"])
def test_help_shows_the_summary(name):
    thing = pydoc.locate(f"brainstate.{name}")
    page = pydoc.render_doc(thing, renderer=pydoc.plaintext)
    assert inspect.getdoc(thing).splitlines()[0] in page


# ---------------------------------------------------------------------- python -m brainstate


def test_running_the_package_shows_versions_and_that_all_works(capsys):
    assert self_test.main() == 0
    shown = capsys.readouterr().out
    devices = f"{len(jax.devices())} × {jax.default_backend()}"
    for text in (brainstate.__version__, jax.__version__, devices):
        assert text in shown
    assert len(re.findall(r"^  \w+ +ok, ", shown, re.MULTILINE)) == len(self_test.CHECKS)
    for name in re.findall(r"brainstate\.[\w.]+", "\n".join(self_test.NEXT)):
        assert pydoc.locate(name) is not None or getattr(brainstate, name.partition(".")[2])


def test_the_self_test_sees_what_is_wrong(monkeypatch):
    spikes, potentials = self_test.by_hand(0.9)
    assert 1 < spikes.sum() < len(spikes)  # neither silent nor saturated
    decay = np.exp(-1 / 8)
    assert potentials[0] == pytest.approx((1 - decay) * 1.5 * 0.9)

    class Wrong(brainstate.nn.LIF):
        def update(self, x=None):
            return super().update(0.99 * x)

    monkeypatch.setattr(self_test.nn, "LIF", Wrong)
    lines = []
    assert self_test.main(lines.append) == 1
    failed = [line for line in lines if "FAILED" in line]
    assert len(failed) >= 3
    assert "AssertionError" in failed[0]
