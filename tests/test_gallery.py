"""The gallery in the docs shows each example, and nothing else."""

import runpy
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parent.parent
GALLERY = runpy.run_path(ROOT / "docs" / "gallery.py")


def names(folder, pattern):
    return {path.stem for path in folder.glob(pattern)}


def programs():
    """The examples, by name; other files in their folder are imported or run by these."""
    sources = {path.stem: path.read_text() for path in (ROOT / "examples").glob("*.py")}
    parts = {"connectome_data"}
    return {name: text for name, text in sources.items() if name not in parts}


def test_each_example_has_an_entry():
    shown = [entry.name for entry in GALLERY["entries"]()]
    assert sorted(shown) == sorted(programs())


@pytest.mark.parametrize("folder", ["", "small"])
def test_each_example_that_draws_has_pictures(folder):
    drawing = {name for name, text in programs().items() if "savefig" in text}
    found = names(GALLERY["PICTURES"] / folder, "*.png")
    assert found == drawing, "run `make pictures`"


def test_pictures_are_small():
    for path in GALLERY["PICTURES"].rglob("*.png"):
        small = path.parent.name == "small"
        assert path.stat().st_size < (30_000 if small else 200_000), path
        with Image.open(path) as picture:
            assert picture.size == GALLERY["THUMBNAIL"] if small else picture.width <= 1200
