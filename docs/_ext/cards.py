"""The tables of `examples.md` as cards with thumbnails, and a page for each example.

A page shows the picture and the program; it is written into `docs/examples`, anew at each build.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from gallery import DOCS, EXAMPLES, Entry, entries
from sphinx.application import Sphinx

PAGES = DOCS / "examples"
TABLE = re.compile(r"^\| \| \| shows \|\n\|[- |]+\|\n(?:\|.*\|\n)+", re.MULTILINE)


def page(entry: Entry) -> str:
    """The page of an example, in Markdown."""
    parts = [f"# {entry.title}", f"{entry.text[0].upper()}{entry.text[1:]}."]
    if entry.picture.exists():
        parts.append(f"![{entry.title}](../{from_docs(entry.picture)})")
    for source in (entry.source, *helpers(entry)):
        file = f"examples/{source.name}"
        parts.append(f"```{{literalinclude}} ../../{file}\n:caption: {file}\n```")
    return "\n\n".join(parts).replace("](tutorial.md)", "](../tutorial.md)") + "\n"


def helpers(entry: Entry) -> list[Path]:
    """Files that the example imports from its folder and that have no page of their own."""
    others = set(EXAMPLES.glob("*.py")) - {shown.source for shown in entries()}
    lines = entry.source.read_text().splitlines()
    imported = {line.split()[1] for line in lines if line.startswith("from ")}
    return sorted(path for path in others if path.stem in imported)


def card(entry: Entry) -> str:
    """The item of an example in a list, in Markdown."""
    link, shown = f"examples/{entry.name}.md", []
    if entry.thumbnail.exists():
        shown.append(f"[![{entry.title}]({from_docs(entry.thumbnail)})]({link})")
    shown += [f"**[{entry.title}]({link})**", f"{entry.text}"]
    return "- " + "\n\n  ".join(shown)


def from_docs(path: Path) -> str:
    """The path as pages of `docs` give it."""
    return path.relative_to(DOCS).as_posix()


def write_pages(app: Sphinx) -> None:
    """A page for each example, and no other; those that say the same stay as they are."""
    PAGES.mkdir(exist_ok=True)
    wanted = {PAGES / f"{entry.name}.md": page(entry) for entry in entries()}
    for path in set(PAGES.glob("*.md")) - set(wanted):
        path.unlink()
    for path, text in wanted.items():
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def show_cards(app: Sphinx, name: str, source: list[str]) -> None:
    """Put cards in place of the tables."""

    def cards(table: re.Match) -> str:
        return "\n".join([":::{container} gallery", *map(card, entries(table[0])), ":::", ""])

    if name == "examples":
        pages = (f"examples/{entry.name}" for entry in entries())
        contents = ["", "```{toctree}", ":hidden:", "", *pages, "```", ""]
        source[0] = TABLE.sub(cards, source[0]) + "\n".join(contents)


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("builder-inited", write_pages)
    app.connect("source-read", show_cards)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
