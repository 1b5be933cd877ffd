"""The layout of a drawing of a program, and its SVG.

Three layers from left to right: States that are read, the function, States that are written. The
function is as high as the layers beside it, so that all arrows are level and none crosses another.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from .program_parts import Group, Parts, Row

ROW, HEAD, GAP, PAD, MARGIN = 24, 26, 14, 10, 20
ARROWS = 110  # the space for arrows between two layers
LETTER = 7.3  # the width of a letter of the fixed font at 12 pixels
LEAST = 150  # the least width of the function
READ, WRITE, INK, GREY = "#0072B2", "#D55E00", "#1b1f24", "#57606a"
FONT = "'DejaVu Sans Mono', Menlo, Consolas, monospace"
KINDS = {
    "ParamState": "#0072B2",
    "HiddenState": "#D55E00",
    "ShortTermState": "#E69F00",
    "LongTermState": "#CC79A7",
    "RandomState": "#009E73",
}
OTHER = "#8c959f"


def drawn(parts: Parts) -> str:
    """The SVG of these parts."""
    left, right = _width(parts.sources), _width(parts.targets)
    box_left = MARGIN + (left + ARROWS if left else 0)
    box_width = max(LEAST, *(LETTER * len(line) + 2 * PAD for line in _lines(parts)))
    right_left = box_left + box_width + ARROWS
    height = max(_height(parts.sources), _height(parts.targets), 24 * len(_lines(parts)) + 2 * PAD)
    width = right_left + right if right else box_left + box_width
    width = max(width, _legend_width(parts)) + MARGIN
    top = MARGIN + HEAD
    body = [
        *_layer(parts.sources, MARGIN, top, left, "only read", box_left, is_left=True),
        *_layer(parts.targets, right_left, top, right, "written", box_left + box_width),
        *_function(parts, box_left, top, box_width, height),
        *_legend(parts, MARGIN, top + height + GAP),
    ]
    bottom = top + height + (GAP + ROW if _legend_items(parts) else 0) + MARGIN
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{bottom:g}" '
        f'viewBox="0 0 {width:g} {bottom:g}" role="img" font-family="{FONT}" font-size="12">',
        f"<title>{escape(parts.name)}: States read and written</title>",
        f"<defs>{_arrow_head('read', READ)}{_arrow_head('write', WRITE)}</defs>",
        f'<rect width="{width:g}" height="{bottom:g}" fill="white"/>',
        *body,
        "</svg>",
        "",
    ])  # fmt: skip


def _lines(parts: Parts) -> list[str]:
    return [parts.name, "takes", *parts.takes, "returns", *parts.returns]


def _width(groups: list[Group]) -> float:
    texts = [f"{row.name}  {row.type}" for group in groups for row in group.rows]
    longest = [len(group.title) for group in groups] + [len(text) + 3 for text in texts]
    return LETTER * max(longest) + 2 * PAD if longest else 0.0


def _height(groups: list[Group]) -> float:
    return sum(HEAD + ROW * len(group.rows) + PAD + GAP for group in groups) - GAP


def _layer(
    groups: list[Group], left: float, top: float, width: float, title: str, box_edge: float,
    is_left: bool = False,
) -> Iterator[str]:  # fmt: skip
    if groups:
        yield _text(left, top - 10, title, GREY, "font-weight='bold'")
    for group in groups:
        height = HEAD + ROW * len(group.rows) + PAD
        yield _box(left, top, width, height, "#f6f8fa", "#d0d7de")
        yield _text(left + PAD, top + 18, group.title, INK, "font-weight='bold'")
        for index, row in enumerate(group.rows):
            middle = top + HEAD + ROW * index + ROW / 2
            yield from _row(row, left, middle, width)
            near = left + width if is_left else left
            yield from _arrows(row, near, box_edge, middle)
        top += height + GAP


def _row(row: Row, left: float, middle: float, width: float) -> Iterator[str]:
    colour = KINDS.get(row.kind, OTHER)
    dash = ' fill-opacity="0" stroke-dasharray="2 2"' if row.created else ""
    yield (
        f'<rect x="{left + PAD:g}" y="{middle - 5:g}" width="10" height="10" rx="2" '
        f'fill="{colour}" stroke="{colour}"{dash}/>'
    )
    yield _text(left + PAD + 18, middle + 4, row.name, INK)
    yield _text(left + width - PAD, middle + 4, row.type, GREY, "text-anchor='end'")


def _arrows(row: Row, near: float, box: float, middle: float) -> Iterator[str]:
    both = 4 if row.read and row.written else 0
    if row.read:
        yield _arrow(near, box, middle - both, READ, "read")
    if row.written:
        yield _arrow(box, near, middle + both, WRITE, "write", dashed=row.created)


def _function(parts: Parts, left: float, top: float, width: float, height: float) -> Iterator[str]:
    yield _box(left, top, width, height, "#ffffff", INK)
    lines = _lines(parts)
    y = top + height / 2 - 20 * (len(lines) - 1) / 2 + 4
    headings = {0: "font-weight='bold' font-size='14'"}
    faint = {1, 2 + len(parts.takes)}
    for index, line in enumerate(lines):
        colour = GREY if index in faint else INK
        style = f"text-anchor='middle' {headings.get(index, '')}"
        yield _text(left + width / 2, y + 20 * index, line, colour, style)


def _legend_items(parts: Parts) -> list[tuple[str, str]]:
    """(name, how it looks): a colour, an arrow's id, or a dashed square."""
    rows = [row for group in (*parts.sources, *parts.targets) for row in group.rows]
    items = [("read", "read")] * any(row.read for row in rows)
    items += [("written", "write")] * any(row.written for row in rows)
    kinds = dict.fromkeys(row.kind for row in rows)
    items += [(kind, KINDS.get(kind, OTHER)) for kind in kinds]
    return items + [("created", "dashed")] * any(row.created for row in rows)


def _legend_width(parts: Parts) -> float:
    return MARGIN + sum(LETTER * len(name) + 46 for name, _ in _legend_items(parts))


def _legend(parts: Parts, left: float, top: float) -> Iterator[str]:
    for name, look in _legend_items(parts):
        if look in ("read", "write"):
            yield _arrow(left, left + 22, top + 12, READ if look == "read" else WRITE, look)
        else:
            colour = f'fill="{look}"'
            dashed = f'fill="none" stroke="{GREY}" stroke-dasharray="2 2"'
            style = dashed if look == "dashed" else colour
            yield (
                f'<rect x="{left + 10:g}" y="{top + 7:g}" width="10" height="10" rx="2" {style}/>'
            )
        yield _text(left + 27, top + 16, name, GREY)
        left += LETTER * len(name) + 46


def _box(left: float, top: float, width: float, height: float, fill: str, line: str) -> str:
    return (
        f'<rect x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" rx="6" '
        f'fill="{fill}" stroke="{line}"/>'
    )


def _text(x: float, y: float, text: str, colour: str, style: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" fill="{colour}" {style}>{escape(text)}</text>'


def _arrow(start: float, end: float, y: float, colour: str, head: str, dashed: bool = False) -> str:
    end += -7 if end > start else 7  # where the head begins
    dash = ' stroke-dasharray="4 3"' if dashed else ""
    return (
        f'<line x1="{start:g}" y1="{y:g}" x2="{end:g}" y2="{y:g}" stroke="{colour}" '
        f'stroke-width="1.5"{dash} marker-end="url(#{head})"/>'
    )


def _arrow_head(name: str, colour: str) -> str:
    return (
        f'<marker id="{name}" markerWidth="8" markerHeight="8" refX="1" refY="4" orient="auto" '
        f'markerUnits="userSpaceOnUse"><path d="M0 0 L8 4 L0 8 z" fill="{colour}"/></marker>'
    )
