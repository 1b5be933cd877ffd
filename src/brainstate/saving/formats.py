"""What a format of files does, and which one a path asks for."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import jax

from .values import Entry, Note

VERSION = 1


class Format(Protocol):
    """Arrays and a header in JSON, written at one place in one step."""

    @property
    def write(self) -> Callable[[Path, dict[str, Any], dict[str, Any]], None]:
        """Write arrays by name and the header; what was there is there until this succeeds."""

    @property
    def look(self) -> Callable[[Path], dict[str, Entry]]:
        """Read all but the arrays."""

    @property
    def read(self) -> Callable[[Path, dict[str, jax.ShapeDtypeStruct]], dict[str, Any]]:
        """Read these arrays; those whose type has a sharding may come as arrays of JAX."""


def header(notes: dict[str, Note]) -> dict[str, Any]:
    """What stands beside the arrays."""
    return {"version": VERSION, "leaves": notes}


def entries(
    arrays: Mapping[str, jax.ShapeDtypeStruct], header: Mapping[str, Any]
) -> dict[str, Entry]:
    """What a file holds; the header is empty in a file by others, whose arrays have no notes."""
    if header.get("version", VERSION) > VERSION:
        raise ValueError(
            f"The file has version {header['version']} of the format of brainstate; this release "
            f"reads versions up to {VERSION}. Update brainstate-jax. [BST-F04]"
        )
    notes = header.get("leaves", {})
    return {n: Entry(arrays.get(n), notes.get(n, {})) for n in [*arrays, *notes]}


def format_of(path: str | os.PathLike) -> tuple[Format, Path]:
    """The format for a path, which becomes absolute."""
    path = Path(os.path.abspath(path))
    kind = "single_file" if path.suffix == ".safetensors" else "folder"
    return importlib.import_module(f".{kind}", __package__), path
