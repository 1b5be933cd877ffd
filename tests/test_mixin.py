import brainunit as u
import pytest

import brainstate
from brainstate.mixin import AlignPost, BindCondData, ParamDesc, ParamDescriber, UpdateReturn


class Thing(ParamDesc):
    def __init__(self, a, b, c=3, d=4):
        self.parts = (a, b, c, d)


class Better(Thing):
    pass


def test_a_description_builds_with_the_rest_of_the_arguments():
    description = Thing.desc(1, d=5)
    assert isinstance(description, ParamDescriber)
    assert description(2).parts == (1, 2, 3, 5)
    assert description.init(2, c=7, d=8).parts == (1, 2, 7, 8)
    assert (description.cls, description.args, description.kwargs) == (Thing, (1,), {"d": 5})
    assert description(2) is not description(2)


def test_identifiers_compare_class_and_arguments():
    assert Thing.desc(1, c=2, d=3).identifier == Thing.desc(1, d=3, c=2).identifier
    assert Thing.desc(1).identifier != Thing.desc(2).identifier
    assert Thing.desc(1).identifier != Better.desc(1).identifier
    assert Thing.desc(tau=1.0 * u.ms).identifier == Thing.desc(tau=1.0 * u.ms).identifier
    with pytest.raises(AttributeError):
        Thing.desc(1).identifier = ()


def test_instance_test_by_described_class():
    assert isinstance(Better.desc(), ParamDescriber[Thing])
    assert isinstance(Better.desc(), ParamDescriber[Better])
    assert not isinstance(Thing.desc(), ParamDescriber[Better])
    assert not isinstance(Thing(1, 2), ParamDescriber[Thing])


def test_descriptions_cannot_be_subclassed():
    with pytest.raises(TypeError, match="desc"):

        class Mine(ParamDescriber):
            pass


def test_modules_can_be_described():
    layer = brainstate.nn.Linear.desc(2, 3, b_init=None)()
    assert layer.in_size == (2,)
    assert repr(brainstate.nn.Linear.desc(2, b_init=None)) == "Linear.desc(2, b_init=None)"


def test_conductances_are_bound_and_unbound():
    class Out(BindCondData):
        pass

    out = Out()
    assert out._conductance is None
    out.bind_cond(3.0)
    assert out._conductance == 3.0
    out.unbind_cond()
    assert out._conductance is None


@pytest.mark.parametrize(
    "call",
    [
        lambda: AlignPost().align_post_input_add(),
        lambda: UpdateReturn().update_return(),
        lambda: UpdateReturn().update_return_info(),
    ],
)
def test_abstract_methods(call):
    with pytest.raises(NotImplementedError, match="must define"):
        call()
