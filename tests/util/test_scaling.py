import brainunit as u
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainstate.util import IdMemScaling, MemScaling

NUMBERS = st.floats(-100, 100).map(lambda x: round(x, 3))


@st.composite
def ranges(draw):
    low = draw(NUMBERS)
    return low, low + draw(st.floats(0.5, 100))


@given(ranges(), ranges(), NUMBERS)
def test_transform_is_the_line_through_both_ends(original, target, x):
    scaling = MemScaling.transform(original, target)
    expected = np.interp(original, original, target)
    slope = (target[1] - target[0]) / (original[1] - original[0])
    np.testing.assert_allclose(scaling.scale_offset(np.array(original)), expected, atol=1e-6)
    np.testing.assert_allclose(
        scaling.scale_offset(x), target[0] + slope * (x - original[0]), rtol=1e-6, atol=1e-6
    )
    np.testing.assert_allclose(scaling.rev_scale_offset(scaling.scale_offset(x)), x, atol=1e-8)
    np.testing.assert_allclose(scaling.rev_scale(scaling.scale(x)), x, atol=1e-8)
    np.testing.assert_allclose(scaling.rev_offset(scaling.offset(x)), x, atol=1e-8)


def test_reference_numbers():
    assert repr(MemScaling.transform([-70, -50])) == "MemScaling(scale=20.0, bias=70.0)"
    assert (
        repr(MemScaling.transform([-70, -50], (-1.0, 1.0))) == "MemScaling(scale=10.0, bias=60.0)"
    )


def test_arguments_replace_the_stored_ones():
    scaling = MemScaling(20.0, 70.0)
    assert scaling.scale(10.0, scale=5.0) == 2.0
    assert scaling.offset(10.0, bias=0.0) == 10.0
    assert scaling.scale_offset(10.0, bias=2.0, scale=4.0) == 3.0
    assert scaling.rev_scale(2.0, scale=5.0) == 10.0
    assert scaling.rev_offset(10.0, bias=4.0) == 6.0
    assert scaling.rev_scale_offset(3.0, bias=2.0, scale=4.0) == 10.0


def test_units():
    scaling = MemScaling.transform((-70.0 * u.mV, -50.0 * u.mV))
    scaled = scaling.scale_offset(np.array([-70.0, -60.0, -50.0]) * u.mV)
    np.testing.assert_allclose(u.get_mantissa(scaled), [0.0, 0.5, 1.0], atol=1e-6)
    back = scaling.rev_scale_offset(scaled)
    np.testing.assert_allclose(back.to_decimal(u.mV), [-70.0, -60.0, -50.0], rtol=1e-6)


@pytest.mark.parametrize(
    ("original", "target", "name"),
    [((1.0, 1.0), (0.0, 1.0), "oring_range"), ((0.0, 1.0), (2.0, 2.0), "target_range")],
)
def test_empty_range_is_refused(original, target, name):
    with pytest.raises(ValueError, match=f"{name}.*different ends"):
        MemScaling.transform(original, target)


def test_range_needs_two_ends():
    with pytest.raises(ValueError, match="two ends"):
        MemScaling.transform([1.0, 2.0, 3.0])


def test_clone_is_equal_and_independent():
    scaling = MemScaling(20.0, 70.0)
    assert scaling.clone() is not scaling
    assert scaling.clone().scale_offset(-60.0) == scaling.scale_offset(-60.0)


def test_identity():
    scaling, x = IdMemScaling(), object()
    assert isinstance(scaling, MemScaling)
    assert repr(scaling) == "IdMemScaling()"
    assert type(scaling.clone()) is IdMemScaling
    for method in ("scale", "offset", "rev_scale", "rev_offset"):
        assert getattr(scaling, method)(x, 5.0) is x
    assert scaling.scale_offset(x, 1.0, 2.0) is x
    assert scaling.rev_scale_offset(x, 1.0, 2.0) is x
