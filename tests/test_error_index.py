"""Each error of the library ends with a code, and each code has a page that runs."""

import ast
import doctest
import re
from pathlib import Path

import jax
import pytest

import brainstate

SOURCES = Path(brainstate.__file__).parent
INDEX = Path(__file__).parent.parent / "docs" / "error_index"

PAGES = sorted(INDEX.glob("BST-*.md"))
ENDING = re.compile(r" \[(BST-[A-Z]\d\d)\]$")
CURE = "\n## Cure\n"
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

# Errors of these places are for the engine itself, or say what their users wrote.
EXEMPT = {
    "__main__.py": {"AssertionError"},  # the self-test
    "compile/checks.py": {"ValueError(_format(error, args, kwargs))"},  # jit_error_if
}


def messages():
    """(where, message) of each exception and warning made in the sources."""
    for path in sorted(SOURCES.rglob("*.py")):
        name = path.relative_to(SOURCES).as_posix()
        for call in ast.walk(ast.parse(path.read_text())):
            if not isinstance(call, ast.Call) or not call.args:
                continue
            called = ast.unparse(call.func)
            is_error = re.fullmatch(r"(\w+\.)*\w*(Error|Warning)", called)
            if called == "jit_error_if":  # at run time
                yield f"{name}:{call.lineno}", call.args[1]
            if not is_error and called != "warnings.warn":
                continue
            if {called, ast.unparse(call)} & EXEMPT.get(name, set()):
                continue
            if called == "KeyError" and isinstance(call.args[0], ast.Name):
                continue  # the key itself, as in a dict
            yield f"{name}:{call.lineno}", call.args[0]


def code_of(message):
    """The code that a literal, or a sum of strings, ends with; or None."""
    while isinstance(message, ast.BinOp):
        message = message.right
    last = message.values[-1] if isinstance(message, ast.JoinedStr) else message
    text = last.value if isinstance(last, ast.Constant) else None
    found = ENDING.search(text) if isinstance(text, str) else None
    return found and found[1]


def test_each_error_ends_with_a_code():
    without = [where for where, message in messages() if code_of(message) is None]
    assert not without, f"these lack a code such as ` [BST-A02]`: {without}"


def test_each_abstract_method_says_so():
    bare = [
        f"{path.relative_to(SOURCES)}:{node.lineno}"
        for path in SOURCES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Raise) and ast.unparse(node).endswith("NotImplementedError")
    ]
    assert not bare


def test_codes_and_pages_are_the_same():
    used = {code_of(message) for _, message in messages()} - {None}
    assert used == {page.stem for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_raises_its_error_and_cures_it(page):
    title, _, text = page.read_text().partition("\n")
    assert title.startswith(f"# {page.stem}: ")
    why, cure = text.split(CURE)
    parse = doctest.DocTestParser().get_examples
    raised = [example.exc_msg for example in parse(_without_fences(why)) if example.exc_msg]
    assert len(raised) == 1
    assert ENDING.search(" ".join(raised[0].split()))[1] == page.stem
    cured = parse(_without_fences(cure))
    assert cured
    assert not any(example.exc_msg for example in cured)
    _run(_without_fences(text), page)


def _without_fences(text):
    """Python's doctest takes a closing fence for output."""
    return re.sub(r"^```.*$", "", text, flags=re.MULTILINE)


def _run(text, page):
    test = doctest.DocTestParser().get_doctest(text, {}, page.stem, str(page), 0)
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    report = []
    filtering = jax.config.jax_traceback_filtering
    jax.config.update("jax_traceback_filtering", "off")  # its notes would pass for the message
    try:
        runner.run(test, out=report.append)
    finally:
        jax.config.update("jax_traceback_filtering", filtering)
    assert runner.summarize(verbose=False).failed == 0, "".join(report)
