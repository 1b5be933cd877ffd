"""What a repr shows stands where `states()` says it is; treescope shows the same."""

import ast
import re

import pytest
import treescope
from hypothesis import given

import brainstate
from brainstate import HiddenState, ParamState, ShortTermState, State, nn
from brainstate.graph import states
from graph.random_graphs import at, find_all, graphs

KINDS = {kind.__name__ for kind in (State, ShortTermState, HiddenState, ParamState)}


def paths_shown(text):
    """The paths at which States are written out, read off the text as Python would read it."""
    found = []

    def visit(expression, path):
        match expression:
            case ast.Call(args=[ast.Constant(value=value)]) if value is ...:
                return  # written out elsewhere
            case ast.Call(func=ast.Name(id=kind)) if kind in KINDS:
                found.append(path)
            case ast.Call(args=args, keywords=keywords):
                for argument in args:
                    visit(argument, path)
                for keyword in keywords:
                    visit(keyword.value, (*path, keyword.arg))
            case ast.List(elts=items) | ast.Tuple(elts=items):
                for index, item in enumerate(items):
                    visit(item, (*path, index))
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    visit(value, (*path, ast.literal_eval(key)))

    visit(ast.parse(re.sub(r"<[^>]*>", "None", text), mode="eval").body, ())
    return found


class Leaf(nn.Module):
    def __init__(self, *names):
        super().__init__()
        for name in names:
            setattr(self, name, State(0.0))


class Model(nn.Module):
    def __init__(self):
        super().__init__(name="model")
        self.z, self.mode = State(1, name="z"), "fast"
        self.shared = Leaf("w", "_b")
        self.layers = [self.shared, Leaf("v"), {"a": Leaf("u"), "b": State(2)}]
        self._private = (Leaf("t"), self.layers[1])
        self.me = self


def test_paths_of_a_model():
    model = Model()
    assert paths_shown(repr(model)) == list(model.states())
    assert repr(model).startswith("Model(\n  name='model',\n  mode='fast',\n  _private=(Leaf(\n")


def test_paths_of_dynamics_with_inner_modules():
    neuron = nn.LIF(2)
    neuron.add_after_update("trace", nn.Expon(2, tau=5.0))
    nn.init_all_states(neuron)
    assert ("_after_updates", "trace", "g") in neuron.states()
    assert "_after_updates={'trace': Expon(" in repr(neuron)


@given(graphs())
def test_each_state_is_written_out_once_where_it_is(root):
    shown = paths_shown(repr(root))
    objects = [at(root, path) for path in shown]
    assert {*map(id, objects)} == {*find_all(root, State)}
    assert len(shown) == len(states(root))


@pytest.mark.filterwarnings("ignore:The chararray:DeprecationWarning")  # its own, with NumPy 2.5
def test_treescope_shows_what_the_repr_shows():
    show, model = treescope.render_to_text, Model()
    text = show(model)
    for part in ("mode", "fast", "_private", "_b", "layers", "Leaf", "cyclic reference to Model"):
        assert part in text
    assert all(str(key) in show(model.states()) for path in model.states() for key in path)
    assert "_backup" not in show(brainstate.random.RandomState(0))
    several = brainstate.augment.grad(lambda x: x, State({"a": 0}))  # rows of several lines
    assert "grad_states" in show(several)
    assert len(treescope.render_to_html(model)) > 1000
