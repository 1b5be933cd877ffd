"""Every public name of BrainState 0.1 exists, and a call that it takes is taken here.

`data/public_names.tsv` has a line for each: module, name, kind, and the parameters of what can be
called, or the value of a constant. Defaults are given where they are plain (a number, a string,
None); ``...`` stands for any other default, ``?`` for parameters that are those of a builtin.
"""

import ast
import csv
import importlib
import inspect
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

import brainstate

FILE = Path(__file__).parent / "data" / "public_names.tsv"
ROWS = csv.DictReader(
    FILE.open(), ["module", "name", "kind", "parameters"], delimiter="\t", quoting=csv.QUOTE_NONE
)
NAMES = [tuple(row.values()) for row in ROWS]
MODULES = list(dict.fromkeys(module for module, *_ in NAMES))
CALLED = ("class", "function", "method", "classmethod", "staticmethod")
EMPTY = inspect.Parameter.empty
POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
MISSING = "does not exist"
VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)

DECORATOR = brainstate.compile.jit.__code__

# What is different on purpose, and why; `*` stands for any part of a name.
DIFFERENT = {
    # States
    "brainstate.State.check_valid_trace": "the argument is called `message`",
    "brainstate.State.restore_value": "the argument is called `value`",
    "brainstate.State.write_value": "the argument is called `value`",
    "brainstate.State.update_from_ref": "the argument is called `ref`",
    "brainstate.State.value_call": "the argument is called `fun`, as elsewhere",
    "brainstate.StateDictManager.split_values": "splitting needs one type at least",
    "brainstate.StateTraceStack.new_arg": "a part of recording that nobody calls",
    "brainstate.catch_new_states": "the first is called `state_tag`, as later; `tag=` is taken too",
    # transformations and graphs
    "brainstate.compile.jit": "JAX has dropped `device`, `backend` and `abstracted_axes`",
    "brainstate.graph.NodeDef": "made by graphdef(); its children are in one mapping",
    # random numbers and containers
    "brainstate*.triangular": "draws from the triangular law, which has parameters",
    "brainstate.util.*Dict.subset": "another name of `filter`, which needs one filter at least",
    # modules
    "brainstate.nn.AMPA.reset_state": "takes `batch_size`, as all others do",
    "brainstate.nn.CSRLinear": "works, so it needs its matrix",
    "brainstate.nn.*.init_state": "`batch_size` is the only argument by position",
    "brainstate.nn.Module.reset_state": "likewise",
    "brainstate.nn.SpikeBitwise": "its default has to be an operation that there is",
    "brainstate.nn.*_all_states": "no options: they went to methods that no class had",
    "brainstate.optim.*.register_trainable_weights": "one name, `param_states`, in all optimizers",
}


def found_object(module, name):
    found = importlib.import_module(module)
    for part in name.split("."):
        declared = isinstance(found, type) and any(
            part in vars(kind).get("__annotations__", ()) for kind in found.__mro__
        )
        found = getattr(found, part, None) if declared else getattr(found, part)
    return found


def found_parameters(found, kind):
    if kind == "class" and found.__init__ is object.__init__:
        return []
    found = found.__init__ if kind == "class" else found
    parameters = list(inspect.signature(found).parameters.values())
    if getattr(found, "__code__", None) is DECORATOR:
        # It may be called without a function, and takes it as `fun`, `fn` or `func`.
        parameters[0] = parameters[0].replace(kind=POSITIONAL[0], default=None)
    return parameters[1:] if kind in ("class", "method") else parameters


def expected_parameters(text, kind):
    """Parameters from ``"x, size=None, *, key=None"``."""
    arguments = ast.unparse(ast.parse(f"def f({text}): ...").body[0].args)
    namespace = {}
    exec(f"def f({arguments}): ...", namespace)
    expected = list(inspect.signature(namespace["f"]).parameters.values())
    return expected[1:] if kind == "method" else expected


def misplaced(found, expected):
    """What keeps arguments given by position from reaching the parameters of `expected`."""
    ours = [p for p in found if p.kind in POSITIONAL]
    for place, wanted in enumerate(p for p in expected if p.kind in POSITIONAL):
        mine = ours[place] if place < len(ours) else None
        nameless = POSITIONAL[0] in (wanted.kind, mine.kind if mine else None)
        if mine is None or (mine.name != wanted.name and not nameless):
            yield f"takes {[p.name for p in ours]} by position, no `{wanted.name}` in place {place}"
            return
    given = sum(p.kind in POSITIONAL for p in expected)
    for mine in ours[given:]:
        if mine.default is EMPTY:
            yield f"needs `{mine.name}` as well"


def differences(found, expected):
    """What keeps calls that suit the parameters `expected` from suiting `found`."""
    yield from misplaced(found, expected)
    ours = {p.name: p for p in found}
    for wanted in expected:
        mine = ours.get(wanted.name)
        if wanted.kind in VARIADIC:
            if not any(p.kind is wanted.kind for p in found):
                yield f"takes no {wanted}"
        elif mine is None:
            if wanted.kind is inspect.Parameter.KEYWORD_ONLY:
                yield f"lacks `{wanted.name}`"
        elif wanted.default is not EMPTY and mine.default is EMPTY:
            yield f"needs `{wanted.name}`"
        elif wanted.default not in (EMPTY, ...) and mine.default != wanted.default:
            yield f"has {wanted.name}={mine.default!r} for {wanted.default!r}"


def complaint(module, name, kind, text):
    """What is wrong with one name, or an empty string."""
    try:
        found = found_object(module, name)
    except (AttributeError, ImportError):
        return MISSING
    if kind == "value" and text:
        expected = ast.literal_eval(text)
        return "" if found == expected else f"is {found!r}, not {expected!r}"
    if kind not in CALLED or text == "?":
        return ""
    expected = expected_parameters(text or "", kind)
    return "; ".join(differences(found_parameters(found, kind), expected))


def intended(name, complaint):
    if complaint == MISSING:  # only where the very name is listed
        return name in DIFFERENT
    return any(fnmatchcase(name, pattern) for pattern in DIFFERENT)


@pytest.mark.parametrize("module", MODULES)
def test_public_names(module):
    complaints = {f"{row[0]}.{row[1]}": complaint(*row) for row in NAMES if row[0] == module}
    wrong = [f"{name}: {c}" for name, c in complaints.items() if c and not intended(name, c)]
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize("pattern", DIFFERENT)
def test_what_is_listed_as_different_still_is(pattern):
    rows = [row for row in NAMES if fnmatchcase(f"{row[0]}.{row[1]}", pattern)]
    assert any(complaint(*row) for row in rows)


@pytest.mark.parametrize(("ours", "theirs", "expected"), [
    ("x, size=None", "x, size=None", ""),
    ("x, size=None, *, more=1", "x, size=None", ""),
    ("x, size=None", "x, size=..., /", ""),
    ("y", "x, /", ""),
    ("y", "x", "no `x` in place 0"),
    ("y, x", "x, y", "no `x` in place 0"),
    ("x", "x, y", "no `y` in place 1"),
    ("x, size=3", "x, size=None", "has size=3 for None"),
    ("x, size", "x, size=None", "needs `size`"),
    ("x, more", "x", "needs `more` as well"),
    ("more", "", "needs `more` as well"),
    ("x", "x, *, key=None", "lacks `key`"),
    ("x", "x, **options", "takes no **options"),
])  # fmt: skip
def test_differences_are_found(ours, theirs, expected):
    found = "; ".join(differences(expected_parameters(ours, ""), expected_parameters(theirs, "")))
    assert bool(found) == bool(expected)
    assert expected in found
