"""One file of safetensors, which many programs read: arrays by name, and our header in its own."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jax
import numpy as np

from .formats import entries
from .values import DTYPES, Entry


def write(path: Path, arrays: dict[str, Any], header: dict[str, Any]) -> None:
    """Write to a file beside it, which then takes its place."""
    save_file = _safetensors("numpy").save_file
    for name, array in arrays.items():
        if isinstance(array, jax.Array) and not array.is_fully_addressable:
            raise ValueError(
                f"The array {name!r} is spread over processes, and a file of safetensors is "
                "written by one. Save to a folder: give a path without `.safetensors`. [BST-F02]"
            )
    # Others are silently written wrong.
    contiguous = {name: np.array(array, order="C", copy=None) for name, array in arrays.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    try:
        with open(unfinished, "wb") as file:
            rights = os.fstat(file.fileno()).st_mode  # safetensors lets only the owner read
        save_file(contiguous, unfinished, {"brainstate": json.dumps(header)})
        os.chmod(unfinished, rights)
        with open(unfinished, "rb") as file:
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def look(path: Path) -> dict[str, Entry]:
    """Types and notes, from the head of the file."""
    found, _ = _head(path)
    metadata = found.pop("__metadata__", {})
    arrays = {
        name: jax.ShapeDtypeStruct(tuple(entry["shape"]), np.dtype(DTYPES[entry["dtype"]]))
        for name, entry in found.items()
    }
    return entries(arrays, json.loads(metadata.get("brainstate", "{}")))


def read(path: Path, wanted: dict[str, jax.ShapeDtypeStruct]) -> dict[str, Any]:
    """The arrays, in memory."""
    head, start = _head(path)
    found = {}
    with open(path, "rb") as file:
        for name, kind in wanted.items():
            begin, end = head[name]["data_offsets"]
            file.seek(start + begin)
            data = bytearray(file.read(end - begin))
            found[name] = np.frombuffer(data, kind.dtype).reshape(kind.shape)
    return found


def _head(path: Path) -> tuple[dict[str, Any], int]:
    """The table of contents, and where the arrays begin; ValueError for a file that is damaged."""
    module = _safetensors()
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r}. [BST-F02]")
    try:
        with module.safe_open(path, framework="numpy"):  # checks lengths and places
            pass
    except module.SafetensorError as error:
        raise ValueError(
            f"{str(path)!r} is no whole file of safetensors: {error}. [BST-F02]"
        ) from None
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        return json.loads(file.read(length)), 8 + length


def _safetensors(part: str = "") -> Any:
    try:
        import safetensors.numpy
    except ImportError:
        raise ImportError(
            "Files `*.safetensors` need the package safetensors: run `pip install safetensors`. "
            "[BST-A13]"
        ) from None
    return getattr(safetensors, part) if part else safetensors
