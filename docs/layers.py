"""Draw `docs/layers.svg` from the table `LAYERS` in `tests/test_architecture.py`.

Run it with ``python docs/layers.py`` after a change of that table; it needs nothing but Python.
"""

import ast
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "brainstate"

# What a row is for, by one of its rooms; and the colour of each group of rows.
CAPTIONS = {
    "util": "filters, path dicts, printed form",
    "typing": "errors, names for annotations, version",
    "_units": "units, without importing brainunit",
    "_engine": "frames, cells, guards, programs; jax.extend",
    "_state": "State and its kinds, catchers, recorders",
    "graph": "Node, walks, split and merge, containers",
    "_debug": "the first bad write",
    "environ": "settings: dt, t, fit, precision",
    "random": "generators as States, laws",
    "compile": "jit, loops, branches, checkpoint",
    "explanation": "what a function does to States",
    "augment": "grad and kin, vmap, pmap, eval_shape",
    "init": "what models are written with",
    "nn": "layers, neurons, synapses, networks",
    "event": "sparse connections, layers that spikes pass",
    "optim": "optimizers, learning rates",
    "saving": "files of States",
    "transform": "augment and compile under one name",
    "visualize": "pictures of spikes, States, programs",
}
GROUPS = [
    ("#eef0f2", {"typing", "util", "_units"}),
    ("#fde3c8", {"_engine", "_state"}),
    ("#e3f0dc", {"graph", "environ", "random"}),
    ("#d8e8f7", {"compile", "augment", "transform", "explanation", "_debug"}),
    ("#efe2f4", {"init", "nn", "event", "optim", "saving", "visualize"}),
]
BELOW = "jax, numpy; brainunit, optax where first used"

WIDTH, ROW, GAP, MARGIN = 720, 34, 6, 16
NAME, CAPTION = 7.9, 415  # width of a letter of a room's name; where captions start


def layers() -> list[list[str]]:
    """The rows of rooms that exist, from low to high."""
    tree = ast.parse((ROOT / "tests" / "test_architecture.py").read_text())
    table = next(
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LAYERS"
    )
    rows = [sorted(filter(_exists, row)) for row in ast.literal_eval(table)]
    return [row for row in rows if row]


def _exists(room: str) -> bool:
    return (SOURCE / room).is_dir() or (SOURCE / f"{room}.py").exists()


def draw(rows: list[list[str]]) -> str:
    """The picture, as SVG."""
    height = 2 * MARGIN + (len(rows) + 1) * (ROW + GAP) - GAP
    style = "font-family: Helvetica, Arial, sans-serif; font-size: 13px"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" style="{style}">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
    ]
    top = MARGIN
    for row in reversed(rows):
        parts += _row(row, top)
        top += ROW + GAP
    parts += [_box(MARGIN, top, WIDTH - 2 * MARGIN, "#ffffff", "3 3")]
    parts += [_text(WIDTH / 2, top, BELOW, "text-anchor: middle; fill: #444"), "</svg>", ""]
    return "\n".join(parts)


def _row(rooms: list[str], top: float) -> list[str]:
    colour = next((c for c, members in GROUPS if members & {*rooms}), "#ffffff")
    caption = next((CAPTIONS[room] for room in rooms if room in CAPTIONS), "")
    parts = [_box(MARGIN, top, WIDTH - 2 * MARGIN, colour)]
    left = MARGIN + 14
    for room in rooms:
        parts.append(_text(left, top, room, "font-family: monospace; font-weight: bold"))
        left += NAME * len(room) + 18
    return [*parts, _text(CAPTION, top, caption, "fill: #444")]


def _box(left: float, top: float, width: float, fill: str, dash: str = "none") -> str:
    return (
        f'<rect x="{left}" y="{top}" width="{width}" height="{ROW}" rx="4" fill="{fill}" '
        f'stroke="#8a929b" stroke-dasharray="{dash}"/>'
    )


def _text(left: float, top: float, text: str, style: str) -> str:
    return f'<text x="{left}" y="{top + ROW / 2 + 4.5}" style="{style}">{escape(text)}</text>'


if __name__ == "__main__":
    (Path(__file__).parent / "layers.svg").write_text(draw(layers()))
