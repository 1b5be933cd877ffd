"""Sections of rows, as text with aligned columns and as HTML."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import NamedTuple

_STYLE = "text-align: left; padding: 0.1em 0.8em 0.1em 0; white-space: pre; vertical-align: top"


class Section(NamedTuple):
    """A title, names of columns if they have any, and rows; without rows it is left out."""

    title: str
    columns: list[str] | None
    rows: list[list[str]]


def as_text(title: str, sections: Iterable[Section]) -> str:
    """The sections below each other."""
    parts = [title]
    for section in filter(lambda section: section.rows, sections):
        rows = [section.columns, *section.rows] if section.columns else section.rows
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            for row in rows
        ]
        parts.append("\n".join([section.title, *[f"  {line}".rstrip() for line in lines]]))
    return "\n\n".join(parts)


def as_html(title: str, sections: Iterable[Section]) -> str:
    """The sections as tables."""
    parts = [f"<p><b>{escape(title)}</b></p>"]
    for section in filter(lambda section: section.rows, sections):
        head = _row("th", section.columns) if section.columns else ""
        rows = "".join(_row("td", row) for row in section.rows)
        parts.append(f"<p>{escape(section.title)}</p><table>{head}{rows}</table>")
    return f"<div>{''.join(parts)}</div>"


def _row(tag: str, cells: list[str]) -> str:
    inside = "".join(f'<{tag} style="{_STYLE}">{escape(cell)}</{tag}>' for cell in cells)
    return f"<tr>{inside}</tr>"
