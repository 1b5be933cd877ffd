import pytest

from brainstate import _errors, util


@pytest.mark.parametrize("name", ["BrainStateError", "TraceContextError", "BatchAxisError"])
def test_errors_form_one_family_and_are_public(name):
    error = getattr(util, name)
    assert error is getattr(_errors, name)
    assert name in util.__all__
    with pytest.raises(util.BrainStateError, match="text"):
        raise error("text")


def test_batch_axis_error_is_a_value_error():
    assert issubclass(util.BatchAxisError, ValueError)
    assert not issubclass(util.TraceContextError, ValueError)
