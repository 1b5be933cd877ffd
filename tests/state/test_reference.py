"""`TreefyState`: a State as a pytree."""

import jax
import jax.numpy as jnp
import numpy as np

import brainstate
from brainstate import ParamState, ShortTermState, TreefyState
from brainstate.util import to_predicate


def test_round_trip():
    state = ParamState({"w": jnp.ones(2)}, name="n", tag="t", foo=3)
    ref = state.to_state_ref()
    assert isinstance(ref, TreefyState)
    assert ref.type is ParamState
    assert ref.value["w"] is state.value["w"]
    assert (ref.name, ref.tag, ref.foo) == ("n", "t", 3)
    back = ref.to_state()
    assert type(back) is ParamState
    assert back is not state
    assert (back.name, back.tag, back.foo) == ("n", "t", 3)
    back.value = None
    assert state.value is not None


def test_to_state_does_not_run_init():
    class Checked(ParamState):
        def __init__(self, value):
            super().__init__(value)
            self.checked = True

        checked = False

    ref = TreefyState(Checked, 1.0)
    assert not ref.to_state().checked
    assert Checked(1.0).to_state_ref().to_state().checked  # an attribute like any other


def test_is_a_pytree_with_one_child_called_value():
    ref = TreefyState(ShortTermState, {"a": 1.0}, tag="new")
    (path, leaf), *rest = jax.tree_util.tree_leaves_with_path(ref)
    assert not rest
    assert leaf == 1.0
    assert path[0] == jax.tree_util.GetAttrKey("value")
    doubled = jax.tree.map(lambda x: 2 * x, ref)
    assert (doubled.type, doubled.value, doubled.tag) == (ShortTermState, {"a": 2.0}, "new")


def test_trees_differ_by_type_and_attributes():
    def structure(*args, **kwargs):
        return jax.tree.structure(TreefyState(*args, **kwargs))

    assert structure(ParamState, 1.0) == structure(ParamState, 2.0)
    assert structure(ParamState, 1.0) != structure(ShortTermState, 1.0)
    assert structure(ParamState, 1.0, tag="a") != structure(ParamState, 1.0, tag="b")


def test_passes_through_jax():
    ref = ParamState(jnp.arange(3.0), tag="t").to_state_ref()
    out = jax.jit(lambda r: r.replace(r.value + 1))(ref)
    np.testing.assert_array_equal(out.value, [1, 2, 3])
    assert out.to_state().tag == "t"
    grads = jax.grad(lambda r: (r.value**2).sum())(ref)
    np.testing.assert_array_equal(grads.value, [0, 2, 4])


def test_replace_and_copy():
    ref = TreefyState(ParamState, 1.0, name="n", foo=2)
    other, same = ref.replace(5.0), ref.copy()
    assert (other.value, other.name, other.foo, other.type) == (5.0, "n", 2, ParamState)
    assert ref.value == same.value == 1.0
    assert same is not ref


def test_metadata_has_neither_type_nor_value():
    metadata = TreefyState(ParamState, 1.0, foo=2, tag="t").get_metadata()
    assert metadata == {"name": None, "tag": "t", "foo": 2}


def test_filters_see_its_type_and_tag():
    ref = TreefyState(ParamState, 1.0, tag="new")
    assert to_predicate(ParamState)((), ref)
    assert to_predicate(brainstate.State)((), ref)
    assert not to_predicate(ShortTermState)((), ref)
    assert to_predicate("new")((), ref)
    assert not to_predicate("old")((), ref)


def test_repr():
    assert repr(TreefyState(ShortTermState, 1.0, tag="new")) == (
        "TreefyState(\n  type=ShortTermState,\n  value=1.0,\n  tag='new'\n)"
    )


def test_belongs_to_the_package():
    assert TreefyState.__module__ == "brainstate"
