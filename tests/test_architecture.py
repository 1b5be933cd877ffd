"""The rules that keep the source readable and alive across JAX releases, checked by reading it."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[1] / "src"
PACKAGE = "brainstate"
MAX_LINES = 500

# From low to high: a room may import from itself, its own row and any row above it here. A single
# module of a room may stand in a row of its own, written `room.module`.
# What stands under `if TYPE_CHECKING:` names a type and pulls nothing in, so it is free.
LAYERS = [
    {"_version", "_errors", "typing"},
    {"util"},
    {"_units"},
    {"_engine"},
    {"_state"},
    {"_debug"},
    {"graph"},
    {"environ"},
    {"random"},
    {"compile"},
    {"augment"},
    {"explanation"},
    {"mixin", "init", "functional", "surrogate"},
    {"nn"},
    {"event"},
    {"optim"},
    {"saving"},
    {"transform"},
    {"visualize"},
    {"__main__"},
]
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}

# Imported by the function that needs them, so that `import brainstate` stays cheap.
LAZY = (
    "IPython",
    "brainunit",
    "matplotlib",
    "optax",
    "orbax",
    "safetensors",
    "saiunit",
    "scipy",
    "sklearn",
    "tqdm",
    "treescope",
)

EXTEND_HOME = "_engine/jax_api.py"
PRIVATE_MODULES = ("core", "interpreters")
PRIVATE_TEXT = re.compile(r"(?<![\w.])jax\.(?:_src|core|interpreters)\b")

Finding = tuple[int, str]


def module_name(path: Path, src: Path) -> str:
    parts = path.relative_to(src).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def nodes_at_run_time(tree: ast.AST) -> Iterator[ast.AST]:
    """`ast.walk` without the bodies of `if TYPE_CHECKING:`."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        match child:
            case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
                for other in child.orelse:
                    yield from nodes_at_run_time(other)
            case _:
                yield from nodes_at_run_time(child)


def imported_names(path: Path, src: Path, walk=ast.walk) -> Iterator[Finding]:
    """Every absolute name that a file imports, at module level, in functions, or by string."""
    module = module_name(path, src)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name) for alias in names)
            case ast.ImportFrom(module=base, names=names, level=level):
                base = resolve_name("." * level + (base or ""), package) if level else base
                yield from ((node.lineno, f"{base}.{alias.name}") for alias in names)
            case ast.Call(
                func=ast.Name(id="import_module") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield node.lineno, resolve_name(name, package)


def room_of(name: str) -> str | None:
    """The longest entry of LAYERS that starts `name`, which is written without the package."""
    parts = name.split(".")
    candidates = (".".join(parts[:end]) for end in range(len(parts), 0, -1))
    return next((room for room in candidates if room in LEVEL), None)


def is_top_level_module(name: str, src: Path) -> bool:
    found = {path.stem for path in (src / PACKAGE).iterdir()}
    return name.partition(".")[0] in found - {"__init__"}


def upward_imports(path: Path, src: Path) -> Iterator[Finding]:
    own = module_name(path, src).removeprefix(PACKAGE).lstrip(".")
    if not own:
        return
    room = room_of(own)
    if room is None:
        yield 1, f"`{own}` stands in no row of LAYERS: add it to the row where it belongs"
        return
    for line, name in imported_names(path, src, nodes_at_run_time):
        package, _, target = name.partition(".")
        if package != PACKAGE:
            continue
        other = room_of(target)
        if other is not None and LEVEL[other] > LEVEL[room]:
            yield (
                line,
                f"`{room}` (layer {LEVEL[room]}) imports `{other}` (layer {LEVEL[other]}), "
                "which lies above it",
            )
        elif other is None and not is_top_level_module(target, src):
            yield line, f"`{room}` (layer {LEVEL[room]}) imports `{name}` from the top package"


def jax_aliases(tree: ast.AST) -> dict[str, str]:
    """Local name -> the jax name it stands for."""
    aliases = {}
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for name in names:
                    if name.name.split(".")[0] == "jax":
                        aliases[name.asname or "jax"] = name.name if name.asname else "jax"
            case ast.ImportFrom(module=str(base), names=names, level=0):
                if base.split(".")[0] == "jax":
                    aliases |= {name.asname or name.name: f"{base}.{name.name}" for name in names}
    return aliases


def jax_names(path: Path, src: Path) -> Iterator[Finding]:
    """Every `jax...` name that a file imports or reaches by attributes, aliases resolved."""
    yield from (
        (line, name) for line, name in imported_names(path, src) if name.split(".")[0] == "jax"
    )
    tree = ast.parse(path.read_text())
    aliases = jax_aliases(tree)
    for node in ast.walk(tree):
        chain, base = [], node
        while isinstance(base, ast.Attribute):
            chain.append(base.attr)
            base = base.value
        if chain and isinstance(base, ast.Name) and base.id in aliases:
            yield node.lineno, ".".join([aliases[base.id], *reversed(chain)])


def is_private(name: str) -> bool:
    parts = name.split(".")[1:]
    hidden = any(part.startswith("_") and not part.endswith("__") for part in parts)
    return hidden or parts[:1] in [[module] for module in PRIVATE_MODULES]


def private_jax(path: Path, src: Path) -> Iterator[Finding]:
    home = module_name(src / PACKAGE / EXTEND_HOME, src)
    for line, name in jax_names(path, src):
        if is_private(name):
            yield line, f"`{name}` is private JAX: use jax.* or jax.extend.*"
        elif name.startswith("jax.extend") and module_name(path, src) != home:
            yield line, f"`{name}`: jax.extend is used in {EXTEND_HOME} only"
    for line, text in enumerate(path.read_text().splitlines(), 1):
        if found := PRIVATE_TEXT.search(text):
            yield line, f"`{found[0]}` is named: private JAX has no place in the source"


def long_files(path: Path, src: Path) -> Iterator[Finding]:
    lines = len(path.read_text().splitlines())
    if lines > MAX_LINES:
        yield lines, f"{lines} lines, at most {MAX_LINES} are allowed: split it by idea"


RULES = [private_jax, upward_imports, long_files]


def violations(rule, src: Path) -> list[str]:
    files = sorted((src / PACKAGE).rglob("*.py"))
    assert files, f"no source below {src / PACKAGE}"
    return [
        f"{path.relative_to(src)}:{line}: {message}"
        for path in files
        for line, message in dict.fromkeys(rule(path, src))
    ]


@pytest.mark.parametrize("rule", RULES)
def test_source_keeps_rule(rule):
    found = violations(rule, SRC)
    assert not found, "\n" + "\n".join(found)


def test_each_room_stands_in_one_layer():
    assert len(LEVEL) == sum(map(len, LAYERS))


def test_import_is_cheap():
    code = f"import sys, {PACKAGE}; print([m for m in {LAZY} if m in sys.modules])"
    paths = os.pathsep.join(filter(None, [str(SRC), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": paths},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]", "import them in the function that needs them"


# One planted fault each: the checks above can fail.
PLANTED = [
    (private_jax, "nn/a.py", "import jax._src.core", "jax._src.core"),
    (private_jax, "nn/a.py", "from jax import core", "jax.core"),
    (private_jax, "nn/a.py", "def f():\n    from jax.interpreters import ad", "jax.interpreters"),
    (private_jax, "nn/a.py", "import jax as j\nj.core.Jaxpr", "jax.core.Jaxpr"),
    (private_jax, "nn/a.py", "import jax.numpy as jnp\njnp._hidden", "jax.numpy._hidden"),
    (private_jax, "nn/a.py", "# as jax.core does", "jax.core"),
    (private_jax, "nn/a.py", "import jax.extend.core", "jax_api.py only"),
    (private_jax, "nn/a.py", "import jax\njax.extend.core.Primitive", "jax_api.py only"),
    (upward_imports, "_state.py", "from brainstate.nn import Linear", "`nn` (layer"),
    (upward_imports, "_state.py", "def f():\n    from .graph import Node", "`graph` (layer"),
    (upward_imports, "graph/_node.py", "from .. import nn", "`nn` (layer"),
    (upward_imports, "graph/_node.py", "import brainstate.optim", "`optim` (layer"),
    (upward_imports, "graph/__init__.py", "from ..nn import Linear", "`nn` (layer"),
    (upward_imports, "util/a.py", "import_module('brainstate.nn')", "`nn` (layer"),
    (upward_imports, "nn/a.py", "from brainstate import State", "top package"),
    (upward_imports, "nn/a.py", "import brainstate", "top package"),
    (
        upward_imports,
        "_state.py",
        "if TYPE_CHECKING:\n    1\nelse:\n    from . import nn",
        "`nn` (",
    ),
    (upward_imports, "cellar/a.py", "", "no row of LAYERS"),
    (long_files, "nn/a.py", "\n" * (MAX_LINES + 1), "501 lines"),
]


def plant(src: Path, name: str, text: str) -> None:
    path = src / PACKAGE / name
    path.parent.mkdir(parents=True)
    path.write_text(text)


@pytest.mark.parametrize(("rule", "name", "text", "expected"), PLANTED)
def test_rule_names_planted_fault(rule, name, text, expected, tmp_path):
    plant(tmp_path, name, text)
    found = violations(rule, tmp_path)
    assert found
    assert all(line.startswith(f"{PACKAGE}/{name}:") for line in found)
    assert any(expected in line for line in found)


LAWFUL = [
    (EXTEND_HOME, "from jax.extend.core import Primitive\nimport jax\njax.__version__"),
    ("nn/a.py", "from ..graph import Node\nfrom brainstate._state import State\nfrom . import b"),
    ("nn/a.py", "import jax.numpy as jnp\nself._hidden = jnp.zeros(3)"),
    ("_state.py", "if TYPE_CHECKING:\n    from .graph import Node"),
    ("__init__.py", "from . import nn, optim\nfrom ._state import State"),
]


@pytest.mark.parametrize(("name", "text"), LAWFUL)
def test_rules_let_lawful_source_pass(name, text, tmp_path):
    plant(tmp_path, name, text)
    assert [found for rule in RULES for found in violations(rule, tmp_path)] == []
