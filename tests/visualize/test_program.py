"""Drawings of programs: they agree with what changes, and can be read."""

import itertools
import re
import xml.etree.ElementTree as ElementTree
from types import SimpleNamespace

import brainunit as u
import jax.numpy as jnp
import pytest

import brainstate
from brainstate import HiddenState, ParamState, State
from brainstate.visualize import program

SVG = "{http://www.w3.org/2000/svg}"


def parsed(drawing):
    root = ElementTree.fromstring(str(drawing))
    texts = [(t.text, float(t.get("x")), float(t.get("y"))) for t in root.iter(f"{SVG}text")]
    return root, texts


def arrows(root):
    """The (kind, side, y) of each arrow above the legend; sides are those of the function."""
    box = next(r for r in root.iter(f"{SVG}rect") if r.get("fill") == "#ffffff")
    bottom = float(box.get("y")) + float(box.get("height"))
    found = []
    for line in root.iter(f"{SVG}line"):
        kind, x, y = (line.get(key) for key in ("marker-end", "x1", "y1"))
        side = "left" if float(x) <= float(box.get("x")) else "right"
        if float(y) < bottom:
            found.append((re.search(r"#(\w+)", kind)[1], side, float(y)))
    return found


def rows_with(root, texts, kind):
    """The names beside which there is an arrow of this kind."""
    box = next(r for r in root.iter(f"{SVG}rect") if r.get("fill") == "#ffffff")
    ends = [(side, y) for found, side, y in arrows(root) if found == kind]
    rows = [(n, "left" if x < float(box.get("x")) else "right", y - 4) for n, x, y in texts]
    return {n for n, side, y in rows if any(s == side and abs(y - at) <= 4 for s, at in ends)}


class Net(brainstate.nn.Module):
    def __init__(self, count):
        super().__init__()
        self.weights = [ParamState(jnp.ones(3)) for _ in range(count // 2)]
        self.cells = [HiddenState(jnp.zeros(3) * u.mV) for _ in range(count - count // 2)]

    def update(self, x):
        for weight in self.weights:
            x = x + weight.value
        for cell in self.cells:
            cell.value = cell.value + x * u.mV
        return x


def test_the_states_drawn_as_written_are_those_that_change():
    kept, changed, overwritten, unused = map(State, (0.0, 1.0, 2.0, 3.0))

    def step(x):
        changed.value += kept.value * x
        overwritten.value = x
        return x

    root, texts = parsed(program(step)(7.0))
    before = [s.value for s in (kept, changed, overwritten)]
    assert before == [0.0, 1.0, 2.0]  # drawing changes nothing
    names = {"kept", "changed", "overwritten", "unused"}
    assert rows_with(root, texts, "write") & names == {"changed", "overwritten"}
    assert rows_with(root, texts, "read") & names == {"kept", "changed"}
    step(7.0)
    assert [kept.value, unused.value] == [0.0, 3.0]
    assert {"step", "takes", "returns", "float32[]"} <= {text for text, *_ in texts}


@pytest.mark.parametrize("count", [2, 5, 40])
def test_any_number_of_states_can_be_read(count):
    net = Net(count)
    root, texts = parsed(program(net)(jnp.ones(3)))
    width, height = (float(root.get(side)) for side in ("width", "height"))
    boxes = [
        tuple(float(r.get(k)) for k in ("x", "y", "width", "height"))
        for r in root.iter(f"{SVG}rect")
        if r.get("rx") == "6"
    ]
    for x, y, w, h in boxes:  # within the picture, and apart from each other
        assert x >= 0
        assert y >= 0
        assert x + w <= width
        assert y + h <= height
        others = [b for b in boxes if b != (x, y, w, h)]
        assert all(x + w <= b[0] or b[0] + b[2] <= x or y + h <= b[1] or b[1] + b[3] <= y
                   for b in others)  # fmt: skip
    rows = {text: (x, y) for text, x, y in texts if re.fullmatch(r"(weights|cells)\.\d+", text)}
    assert len(rows) == count
    for side in ("weights", "cells"):
        ys = [y for name, (_, y) in rows.items() if name.startswith(side)]
        assert all(b - a >= 20 for a, b in itertools.pairwise(ys))  # in order, apart
        numbers = [int(name.split(".")[1]) for name in rows if name.startswith(side)]
        assert numbers == sorted(numbers)
    assert len(set(arrows(root))) == len(arrows(root))
    assert max(x + 7.3 * len(text) for text, x, _ in texts if text.startswith("cells")) < width


def test_states_stand_in_their_nodes_with_unit_and_kind():
    net = brainstate.nn.init_all_states(
        brainstate.nn.Sequential(brainstate.nn.Linear(2, 3), brainstate.nn.LIF(3))
    )

    def forward(x):
        with brainstate.environ.context(dt=0.1 * u.ms):
            return net[1](net[0](x) * u.mA)

    texts = {text for text, *_ in parsed(program(forward)(jnp.ones(2)))[1]}
    assert {"net.layers.0: Linear", "net.layers.1: LIF", "float32[3] in mV"} <= texts
    assert {"ParamState", "HiddenState"} <= texts


def test_created_states_and_names_that_svg_must_escape():
    odd = SimpleNamespace(state=State(1.0, name="<a & b>"))

    def make():
        return State(odd.state.value)

    root, texts = parsed(program(make)())
    assert "<a & b>" in {text for text, *_ in texts}
    assert any(line.get("stroke-dasharray") for line in root.iter(f"{SVG}line"))
    assert "created" in {text for text, *_ in texts}


def test_a_function_without_states_arguments_or_output():
    texts = {text for text, *_ in parsed(program(lambda: None)())[1]}
    assert texts == {"<lambda>", "takes", "returns", "nothing"}


def test_saving(tmp_path):
    drawing = program(lambda x: x)(1.0)
    assert drawing.save(tmp_path / "a.svg").read_text() == drawing._repr_svg_() == str(drawing)
    with pytest.raises(ValueError, match=r"in a file \*.svg; found .*a.png"):
        drawing.save(tmp_path / "a.png")
    with pytest.raises(TypeError, match=r"program\(\) draws a function; found 3"):
        program(3)
