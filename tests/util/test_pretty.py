import threading
from collections.abc import Mapping

import jax.numpy as jnp
import pytest

from brainstate.util import (
    FlattedDict,
    MappingReprMixin,
    PrettyAttr,
    PrettyMapping,
    PrettyRepr,
    PrettyType,
)


class Thing(PrettyRepr):
    """Shows its attributes, as States and Nodes do."""

    def __init__(self, **attributes):
        vars(self).update(attributes)

    def __pretty_repr__(self):
        yield PrettyType(type(self))
        for key, value in vars(self).items():
            yield PrettyAttr(key, repr(value))


class Linear(Thing):
    pass


class ParamState(Thing):
    pass


def test_state():
    state = ParamState(value=jnp.zeros(2), name="w", tag="t")
    assert repr(state) == (
        "ParamState(\n  value=Array([0., 0.], dtype=float32),\n  name='w',\n  tag='t'\n)"
    )


def test_nested_values_of_several_lines_are_indented():
    value = {"weight": jnp.zeros((1, 2, 1)), "bias": 0.0}
    layer = Linear(in_size=(2,), w_mask=None, weight=ParamState(value=value))
    assert repr(value).count("\n") == 1
    assert repr(layer) == (
        "Linear(\n"
        "  in_size=(2,),\n"
        "  w_mask=None,\n"
        "  weight=ParamState(\n"
        "    value=" + repr(value).replace("\n", "\n    ") + "\n"
        "  )\n"
        ")"
    )


def test_blank_lines_are_indented_too():
    assert repr(Thing(x=jnp.zeros((2, 2, 1)))).splitlines()[3] == "  "


def test_list_of_objects_prints_inline():
    assert repr(Thing(layers=[Linear(n=1), Thing()])) == (
        "Thing(\n  layers=[Linear(\n    n=1\n  ), Thing()]\n)"
    )


def test_flat_dict_of_states():
    states = FlattedDict({("weight",): ParamState(value=1.0)})
    assert repr(states) == "FlattedDict({\n  ('weight',): ParamState(\n    value=1.0\n  )\n})"


def test_cycle_and_sharing_are_printed_once():
    shared = Linear(n=1)
    root = Thing(a=shared, b=[shared])
    root.me = root
    text = "Thing(\n  a=Linear(\n    n=1\n  ),\n  b=[Linear(...)],\n  me=Thing(...)\n)"
    assert repr(root) == text
    assert repr(root) == text
    assert repr([shared, shared]) == "[Linear(\n  n=1\n), Linear(\n  n=1\n)]"


def test_equal_short_lived_objects_are_not_taken_for_repeats():
    class Factory(PrettyRepr):
        def __pretty_repr__(self):
            yield PrettyType("Factory")
            for index in range(20):
                yield PrettyAttr(str(index), Linear(n=index))

    assert "..." not in repr(Factory())


def test_cycle_through_plain_dicts():
    level = {"a": 1}
    level["self"] = level
    assert repr(PrettyMapping(level)) == "{\n  'a': 1,\n  'self': {...}\n}"


def test_error_in_a_repr_leaves_nothing_behind():
    class Broken(PrettyRepr):
        def __pretty_repr__(self):
            yield PrettyType("Broken")
            raise RuntimeError("no text")

    inner = Linear(n=1)
    with pytest.raises(RuntimeError, match="no text"):
        repr(Thing(a=inner, b=Broken()))
    assert repr(inner) == "Linear(\n  n=1\n)"


def test_threads_do_not_share_the_table():
    shared, inside, texts = Linear(n=1), threading.Event(), []

    class Waiting(PrettyRepr):
        def __pretty_repr__(self):
            yield PrettyType("Waiting")
            yield PrettyAttr("a", shared)
            inside.set()
            other.join()

    other = threading.Thread(target=lambda: inside.wait() and texts.append(repr(shared)))
    other.start()
    repr(Waiting())
    assert texts == ["Linear(\n  n=1\n)"]


def test_custom_punctuation():
    class Custom(PrettyRepr):
        def __init__(self, rows):
            self.rows = rows

        def __pretty_repr__(self):
            yield PrettyType("C", "<", ">", value_sep=" -> ", elem_indent="....", empty_repr="none")
            for row in self.rows:
                yield PrettyAttr(row, 1, start="[", end="]")

    assert repr(Custom([])) == "C<none>"
    assert repr(Custom(["x", "y"])) == "C<\n....[x -> 1],\n....[y -> 1]\n>"


def test_strings_are_verbatim_and_other_values_by_repr():
    class Verbatim(PrettyRepr):
        def __pretty_repr__(self):
            yield PrettyType(int)
            yield PrettyAttr("a", "as is")
            yield PrettyAttr("b", ["as repr"])

    assert repr(Verbatim()) == "int(\n  a=as is,\n  b=['as repr']\n)"


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ([], "PrettyType first, found NoneType"),
        ([PrettyAttr("a", 1)], "PrettyType first, found PrettyAttr"),
        ([PrettyType("T"), ("a", 1)], "PrettyAttr.*found tuple"),
    ],
)
def test_wrong_parts_are_refused(parts, text):
    class Wrong(PrettyRepr):
        def __pretty_repr__(self):
            return iter(parts)

    with pytest.raises(TypeError, match=text):
        repr(Wrong())


def test_base_is_abstract():
    with pytest.raises(TypeError, match="abstract"):
        PrettyRepr()

    class Forgetful(PrettyRepr):
        pass

    with pytest.raises(NotImplementedError, match="Forgetful"):
        repr(Forgetful())


def test_mappings():
    assert repr(PrettyMapping({})) == "{}"
    assert repr(PrettyMapping({"a": "x", ("b", 0): {}})) == "{\n  'a': 'x',\n  ('b', 0): {}\n}"

    class Table(MappingReprMixin, PrettyRepr):
        def __getitem__(self, key):
            return {"k": 1}[key]

        def __iter__(self):
            return iter("k")

        def __len__(self):
            return 1

    assert isinstance(Table(), Mapping)
    assert repr(Table()) == "{\n  'k': 1\n}"
