import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainstate.util import (
    All,
    Any,
    Everything,
    Not,
    Nothing,
    OfType,
    PathContains,
    WithTag,
    is_instance_eval,
    not_instance_eval,
    to_predicate,
)
from brainstate.util.filter import ordered_predicates, split_by_filters


class Box:
    def __init__(self, tag=None):
        self.tag = tag


class SmallBox(Box):
    pass


class Reference:
    def __init__(self, referred):
        self.type = referred


def matches(the_filter, value, path=("a",)):
    return to_predicate(the_filter)(path, value)


def test_type_matches_instances_and_references_to_subclasses():
    assert matches(Box, SmallBox())
    assert matches(Box, Reference(SmallBox))
    assert not matches(SmallBox, Box())
    assert not matches(SmallBox, Reference(Box))
    assert not matches(Box, Reference("Box"))


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("new", True),
        ("newer", False),
        (None, False),
        ({"new", "old"}, True),
        (frozenset({"old"}), False),
        (["new"], False),
    ],
)
def test_tag_matches_a_string_or_a_member_of_a_set(tag, expected):
    assert matches("new", Box(tag)) is expected


def test_value_without_tag_does_not_match_a_tag():
    assert not matches("new", 3)


@pytest.mark.parametrize(
    ("the_filter", "expected"), [(..., True), (True, True), (False, False), (None, False)]
)
def test_everything_and_nothing(the_filter, expected):
    assert matches(the_filter, object()) is expected


def test_function_is_used_as_it_is():
    def at_top(path, value):
        return len(path) == 1

    assert to_predicate(at_top) is at_top


def test_sequences_match_any_of_their_filters():
    for literal in ([int, "new"], (int, "new")):
        assert matches(literal, 1)
        assert matches(literal, Box("new"))
        assert not matches(literal, Box("old"))
    assert not matches([], 1)


def test_combinations():
    assert matches(All(Box, "new"), Box("new"))
    assert not matches(All(Box, "new"), Reference(Box))
    assert matches(Not(Box), 1)
    assert not matches(Not(Box), Box())
    assert matches(PathContains("b"), 0, ("a", "b"))
    assert not matches(PathContains("b"), 0, ("a", "bb"))


PREDICATES = [
    (lambda: OfType(Box), "OfType(Box)"),
    (lambda: WithTag("new"), "WithTag('new')"),
    (lambda: PathContains(0), "PathContains(0)"),
    (lambda: Any(int, "new"), "Any(OfType(int), WithTag('new'))"),
    (lambda: Any(), "Any()"),
    (lambda: All(int, "new"), "All(OfType(int), WithTag('new'))"),
    (lambda: Not("new"), "Not(WithTag('new'))"),
    (Everything, "Everything()"),
    (Nothing, "Nothing()"),
]


@pytest.mark.parametrize(("make", "text"), PREDICATES)
def test_predicates_have_value_equality_hash_and_repr(make, text):
    assert make() == make()
    assert hash(make()) == hash(make())
    assert repr(make()) == text
    assert [make() == other() for other, _ in PREDICATES].count(True) == 1


def test_predicates_cannot_be_changed():
    with pytest.raises(AttributeError):
        OfType(int).type = str
    with pytest.raises(AttributeError):
        Any(int).predicates = ()


@pytest.mark.parametrize("wrong", [3, 1.5, {"a": int}, {int}, b"new"])
def test_wrong_filter_is_named_with_what_is_accepted(wrong):
    with pytest.raises(TypeError) as error:
        to_predicate(wrong)
    assert repr(wrong) in str(error.value)
    for accepted in ("type", "tag", "...", "function", "list"):
        assert accepted in str(error.value)


def test_wrong_filter_inside_a_combination():
    with pytest.raises(TypeError, match="3"):
        Any(int, 3)


@pytest.mark.parametrize("filters", [(..., int), (int, True, "new"), (Everything(), None)])
def test_catch_all_before_other_filters_is_refused(filters):
    with pytest.raises(ValueError, match="last"):
        ordered_predicates(filters)


def test_several_catch_alls_at_the_end_are_allowed():
    first, second, third = split_by_filters([(("a",), 1)], [str, ..., True], exhaustive=True)
    assert (first, second, third) == ([], [(("a",), 1)], [])


def test_non_exhaustive_filters_name_the_path():
    items = [(("a",), 1), (("b", 0), "x")]
    with pytest.raises(ValueError, match=r"Non-exhaustive filters .*\('b', 0\).*str.*`\.\.\.`"):
        split_by_filters(items, [int], exhaustive=True)
    assert split_by_filters(items, [int], exhaustive=False) == ([(("a",), 1)],)


LITERALS = st.sampled_from(
    [int, str, "new", None, False, (int, "new"), Not(int), PathContains("a")]
)
VALUES = st.one_of(
    st.integers(), st.text(max_size=2), st.builds(Box, st.sampled_from(["new", "x"]))
)
ITEMS = st.dictionaries(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(tuple), VALUES, max_size=8
).map(lambda mapping: list(mapping.items()))


@given(ITEMS, st.lists(LITERALS, max_size=4))
def test_split_deals_each_item_to_its_first_match(items, filters):
    groups = split_by_filters(items, [*filters, ...], exhaustive=True)

    def first_match(path, value):
        return next(i for i, f in enumerate([*filters, ...]) if to_predicate(f)(path, value))

    for index, group in enumerate(groups):
        assert group == [item for item in items if first_match(*item) == index]
    assert split_by_filters(items, filters, exhaustive=False) == groups[:-1]


def test_instance_tests():
    is_number, is_other = is_instance_eval(int, float), not_instance_eval(int, float)
    assert [is_number(x) for x in (1, 2.0, "x")] == [True, True, False]
    assert [is_other(x) for x in (1, 2.0, "x")] == [False, False, True]
