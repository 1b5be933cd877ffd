"""Puts what a script printed between its markers in README.md."""

from __future__ import annotations

from pathlib import Path

README = Path(__file__).with_name("README.md")


def replace(section: str, text: str) -> None:
    """Put `text` between ``<!-- section -->`` and ``<!-- /section -->``."""
    opening, closing = f"<!-- {section} -->", f"<!-- /{section} -->"
    before, found, rest = README.read_text().partition(opening)
    _, closed, after = rest.partition(closing)
    if not (found and closed):
        raise ValueError(f"{README.name} must have the markers {opening} and {closing}.")
    README.write_text(f"{before}{opening}\n{text.strip()}\n{closing}{after}")
