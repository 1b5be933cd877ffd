"""Static and donated arguments, told apart by position and name."""

import functools

import pytest

from brainstate.compile.arguments import Arguments, as_tuple


def pair(a, b, *, c=0):
    return a, b, c


@pytest.mark.parametrize(("given", "expected"), [
    (None, ()), (3, (3,)), ("ab", ("ab",)), ((1, 2), (1, 2)), ([0], (0,)), (iter("xy"), ("x", "y")),
])  # fmt: skip
def test_one_or_several(given, expected):
    assert as_tuple(given) == expected


def test_positions_and_names_complete_each_other():
    assert Arguments(pair, static_argnums=0).static == {0, "a"}
    assert Arguments(pair, static_argnums=-1).static == {1, "b"}
    assert Arguments(pair, static_argnames="b").static == {1, "b"}
    assert Arguments(pair, static_argnames="c").static == {"c"}
    assert Arguments(pair, donate_argnums=(0, 1)).donated == {0, 1, "a", "b"}
    assert Arguments(pair).plain
    assert not Arguments(pair, donate_argnames="a").plain


def test_positions_among_variadic_ones():
    def variadic(a, *rest):
        return a, rest

    assert {0, 3} <= Arguments(variadic, static_argnums=(0, 3)).static


def test_bound_methods_and_partials():
    class Thing:
        def method(self, x, y):
            return x, y

    assert Arguments(Thing().method, static_argnums=0).static == {0, "x"}
    assert Arguments(functools.partial(pair, 1), static_argnums=0).static == {0, "b"}


def test_functions_without_a_signature():
    assert {0} <= Arguments(max, static_argnums=0).static


@pytest.mark.parametrize("kwargs", [
    {}, {"static_argnums": 0}, {"donate_argnums": 1}, {"static_argnames": "c"},
    {"donate_argnames": ("a", "c"), "static_argnums": 1},
])  # fmt: skip
@pytest.mark.parametrize("call", [((1, 2), {}), ((1,), {"b": 2}), ((1, 2), {"c": 3})], ids=repr)
def test_unpacks_what_it_packed(kwargs, call):
    arguments = Arguments(pair, **kwargs)
    donated, args, named = arguments.pack(*call)
    assert (args, named) == call or not arguments.plain
    assert arguments.unpack(donated, args, named) == call


def test_donated_ones_leave_holes():
    donated, args, named = Arguments(pair, donate_argnums=0, donate_argnames="c").pack(
        (1, 2), {"c": 3}
    )
    assert donated == {"0": 1, "c": 3}
    assert args == (None, 2)
    assert named == {"c": None}


def test_static_ones_compare_by_value():
    arguments = Arguments(pair, static_argnums=0)

    def packed(value):
        return arguments.pack((value, 0), {})[1][0]

    assert packed((1, 2)) == packed((1, 2))
    assert hash(packed("x")) == hash(packed("x"))
    assert packed(1) != packed(2)


def test_a_prefix_is_split_likewise():
    arguments = Arguments(pair, donate_argnums=1)
    assert arguments.split_prefix(("x", "y")) == ({"1": "y"}, ("x", None))
    assert arguments.split_prefix("all") == ("all", "all")
