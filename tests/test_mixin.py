import copy
import pickle
import typing

import brainunit as u
import pytest

import brainstate
from brainstate.mixin import (
    AlignPost,
    Batching,
    BindCondData,
    JointMode,
    JointTypes,
    Mode,
    OneOfTypes,
    ParamDesc,
    ParamDescriber,
    Training,
    UpdateReturn,
)


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


# ---------------------------------------------------------------- modes


def test_modes_are_told_apart_by_class():
    assert Batching(4) == Batching(8) != Training()
    assert Training() != 1
    assert len({Batching(4), Batching(8), Training()}) == 2
    assert repr([Batching(4), Training()]) == "[Batching(in_size=4, axis=0), Training]"
    assert Training().is_a(Training)
    assert not Training().is_a(Mode)
    assert Training().has(Mode)
    assert not Training().has(Batching)


@pytest.mark.parametrize(
    "renew", [lambda x: x, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_several_modes_at_once(renew):
    both = renew(JointMode(Batching(4, batch_axis=1), Training()))
    assert both.types == {Batching, Training}
    assert (both.batch_size, both.batch_axis) == (4, 1)
    assert both.has(Training)
    assert not JointMode(Training()).has(Batching)
    assert both.is_a(JointTypes[Training, Batching])
    assert not both.is_a(Training)
    assert JointMode(Training()).is_a(Training)
    assert both == JointMode(Training(), Batching())
    assert both != JointMode(Training())
    assert repr(both) == "JointMode(Batching(in_size=4, axis=1), Training)"
    with pytest.raises(AttributeError, match="nothing"):
        _ = both.nothing


def test_only_modes_can_be_joined():
    with pytest.raises(TypeError, match=r"joins modes; found .*Training"):
        JointMode(Batching(), Training)


# ---------------------------------------------------------------- types made of types


class Both(AlignPost, BindCondData):
    pass


def test_joint_types_ask_for_all():
    joint = JointTypes[AlignPost, BindCondData]
    assert isinstance(Both(), joint)
    assert issubclass(Both, joint)
    assert not isinstance(AlignPost(), joint)
    assert not issubclass(BindCondData, joint)
    assert joint is JointTypes[BindCondData, AlignPost] is JointTypes[joint, AlignPost]
    assert JointTypes[AlignPost] is AlignPost
    assert JointTypes[AlignPost, None] == typing.Optional[AlignPost]  # noqa: UP045
    assert isinstance(None, JointTypes[AlignPost, BindCondData, None])
    assert isinstance(Thing.desc(), ParamDescriber[JointTypes[Thing, ParamDesc]])
    assert repr(joint).endswith("JointTypes[AlignPost, BindCondData]'>")


def test_one_of_types_asks_for_any():
    either = OneOfTypes[AlignPost, BindCondData]
    assert isinstance(AlignPost(), either)
    assert issubclass(Both, either)
    assert not isinstance(1, either)
    assert OneOfTypes[AlignPost] is AlignPost
    assert isinstance(None, OneOfTypes[AlignPost, None])


@pytest.mark.parametrize("wrong", [
    lambda: JointTypes[()], lambda: OneOfTypes[()], lambda: JointTypes[AlignPost, 3],
    lambda: JointTypes(), lambda: OneOfTypes(), lambda: JointTypes[AlignPost, BindCondData](),
])  # fmt: skip
def test_wrong_uses_of_type_tests(wrong):
    with pytest.raises(TypeError, match=r"JointTypes|OneOfTypes"):
        wrong()
