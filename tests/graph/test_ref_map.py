import pytest

from brainstate.graph import RefMap


def test_keys_are_compared_by_identity():
    a, b = [1], [1]
    found = RefMap([(a, "a"), (b, "b")])
    assert [found[a], found[b], len(found)] == ["a", "b", 2]
    assert [1] not in found
    assert list(found) == [a, b]


def test_edit():
    key = {}
    found = RefMap({"x": 1})
    found[key] = 2
    found[key] = 3
    assert found.pop(key) == 3
    assert list(found.values()) == [1]
    with pytest.raises(KeyError):
        found[key]
    with pytest.raises(KeyError):
        del found[key]


def test_key_lives_as_long_as_the_map():
    found = RefMap()
    found[[1]] = "kept"
    assert not any([2] in found for _ in range(100))  # no id is used again
    assert list(found) == [[1]]


def test_repr_and_identity():
    found = RefMap({"a": 1})
    assert repr(found) == "{\n  'a': 1\n}"
    assert found != RefMap({"a": 1})
    assert len({found, found}) == 1
