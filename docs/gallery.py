"""Renew the pictures in `docs/_static/examples`: ``python docs/gallery.py [example ...]``.

Each example runs in an empty folder and leaves a picture there, which is kept with few colours, and
as a thumbnail. The table in `docs/examples.md` says which examples there are; `_ext/cards.py` makes
the pages from it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).resolve().parent
EXAMPLES = DOCS.parent / "examples"
PICTURES = DOCS / "_static" / "examples"
WIDTH, THUMBNAIL, COLOURS = 1200, (320, 160), 128
ROW = re.compile(r"^\| `(?P<name>\w+)\.py` \| (?P<title>[^|]+) \| (?P<text>.+) \|$", re.MULTILINE)


class Entry(NamedTuple):
    """A row of the table of examples."""

    name: str
    title: str
    text: str

    @property
    def source(self) -> Path:
        return EXAMPLES / f"{self.name}.py"

    @property
    def picture(self) -> Path:
        return PICTURES / f"{self.name}.png"

    @property
    def thumbnail(self) -> Path:
        return PICTURES / "small" / f"{self.name}.png"


def entries(table: str | None = None) -> list[Entry]:
    """The rows of a table in Markdown, else of that in `examples.md`."""
    text = (DOCS / "examples.md").read_text() if table is None else table
    return [Entry(**row.groupdict()) for row in ROW.finditer(text)]


def drawn(entry: Entry, folder: Path) -> Path | None:
    """Run an example in this folder; where its picture is, if it has drawn one."""
    environment = os.environ | {
        "MPLBACKEND": "agg",
        "PYTHONPATH": os.pathsep.join([str(DOCS.parent / "src"), os.environ.get("PYTHONPATH", "")]),
    }
    subprocess.run([sys.executable, str(entry.source)], cwd=folder, env=environment, check=True)
    found = folder / "out" / f"{entry.name}.png"
    return found if found.exists() else None


def keep(picture: Path, entry: Entry) -> None:
    """Write the picture and its thumbnail, with few colours: some 50 and 10 kB."""
    from PIL import Image, ImageOps

    entry.thumbnail.parent.mkdir(parents=True, exist_ok=True)
    image = Image.open(picture).convert("RGB")
    shown = ImageOps.contain(image, (min(WIDTH, image.width), image.height))
    small = ImageOps.pad(image, THUMBNAIL, Image.Resampling.LANCZOS, color="white")
    for smaller, path in ((shown, entry.picture), (small, entry.thumbnail)):
        few = smaller.quantize(
            COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE
        )
        few.save(path, optimize=True)


def main(*names: str) -> None:
    """Renew the pictures of these examples, else of all."""
    for entry in entries():
        if not names or entry.name in names:
            with tempfile.TemporaryDirectory() as folder:
                if picture := drawn(entry, Path(folder)):
                    keep(picture, entry)


if __name__ == "__main__":
    main(*sys.argv[1:])
