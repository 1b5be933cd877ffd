"""A folder of orbax: parallel, also from many processes, each array onto its devices."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jax
import numpy as np
from jax.experimental import multihost_utils

from .formats import entries
from .values import Entry

NOTHING = "\\"  # orbax refuses a folder without arrays; in our names there are two of these


def write(path: Path, arrays: dict[str, Any], header: dict[str, Any]) -> None:
    """Write to a folder beside it, which then takes its place."""
    ocp = _orbax()
    if path.exists() and not _may_be_replaced(path):
        raise FileExistsError(
            f"{str(path)!r} exists and is no folder written by orbax; it is not overwritten. Give "
            "another path, or one that ends with `.safetensors` for a single file. [BST-F02]"
        )
    # Nor does orbax take arrays without elements.
    empty = {name: array for name, array in arrays.items() if array.size == 0}
    stored = {_quoted(name): _storable(a) for name, a in arrays.items() if name not in empty}
    types = {name: [array.shape, array.dtype.name] for name, array in empty.items()}
    finished, old = _beside(path, "new"), _beside(path, "old")
    ocp.save(
        finished,
        stored or {NOTHING: np.zeros(1, np.uint8)},
        overwrite=True,
        custom_metadata={"brainstate": header | {"empty": types}},
    )
    if jax.process_index() == 0:
        if path.exists():
            shutil.rmtree(old, ignore_errors=True)
            os.rename(path, old)
        os.rename(finished, path)
        shutil.rmtree(old, ignore_errors=True)
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices(f"brainstate.saving {path}")


def look(path: Path) -> dict[str, Entry]:
    """Types and notes; in a folder by others, which may be nested, keys are joined by dots."""
    tree, header = _metadata(path)
    arrays = {
        name: jax.ShapeDtypeStruct(np.shape(leaf), np.dtype(getattr(leaf, "dtype", type(leaf))))
        for name, leaf in _by_name(tree).items()
        if isinstance(leaf, (int, float)) or (hasattr(leaf, "shape") and name != NOTHING)
    }
    for name, (shape, dtype) in header.get("empty", {}).items():
        arrays[name] = jax.ShapeDtypeStruct(tuple(shape), np.dtype(dtype))
    return entries(arrays, header)


def read(path: Path, wanted: dict[str, jax.ShapeDtypeStruct]) -> dict[str, Any]:
    """The arrays, each where its sharding says, or in memory."""
    ocp = _orbax()
    tree, _ = _metadata(path)
    found = {name: np.zeros(t.shape, t.dtype) for name, t in wanted.items() if 0 in t.shape}
    stored = {name: _asked(t) for name, t in wanted.items() if name not in found}
    if stored:
        asked = [stored.get(name, ocp.PLACEHOLDER) for name in _by_name(tree)]
        loaded = ocp.load(_current(path), jax.tree.structure(tree).unflatten(asked))
        by_name = _by_name(loaded)
        found |= {name: by_name[name] for name in stored}
    return found


def _storable(array: Any) -> Any:
    """Of many processes the first writes the arrays that each of them has to itself."""
    alone = jax.process_count() > 1 and getattr(array, "is_fully_addressable", False)
    return np.asarray(array) if alone else array


def _asked(kind: jax.ShapeDtypeStruct) -> Any:
    """What orbax takes for the wish for such an array; one of NumPy here costs no memory."""
    if kind.sharding is not None:
        return kind
    return np.broadcast_to(np.zeros((), kind.dtype), kind.shape)


def _metadata(path: Path) -> tuple[Any, dict[str, Any]]:
    """(the tree of what orbax knows of each array, our header)."""
    ocp, place = _orbax(), _current(path)
    if not place.exists():
        raise FileNotFoundError(f"There is no folder {str(path)!r}. [BST-F02]")
    if not _is_written_by_orbax(place):
        raise ValueError(
            f"{str(path)!r} is no folder written by orbax; single files end with "
            "`.safetensors`. [BST-F02]"
        )
    found = ocp.metadata(place)
    return found.metadata, (found.custom_metadata or {}).get("brainstate", {})


def _by_name(tree: Any) -> dict[str, Any]:
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {unquote(jax.tree_util.keystr(p, simple=True, separator=".")): x for p, x in leaves}


def _quoted(name: str) -> str:
    """Orbax confuses ``a/`` and ``a``."""
    return name.replace("%", "%25").replace("/", "%2F")


def _beside(path: Path, which: str) -> Path:
    return path.with_name(f".{path.name}.brainstate-{which}")


def _current(path: Path) -> Path:
    """The folder, or the older one of a process that ended while the new one took its place."""
    old = _beside(path, "old")
    return old if old.exists() and not path.exists() else path


def _may_be_replaced(path: Path) -> bool:
    return path.is_dir() and (not any(path.iterdir()) or _is_written_by_orbax(path))


def _is_written_by_orbax(path: Path) -> bool:
    return (path / "_CHECKPOINT_METADATA").is_file()  # orbax itself takes any folder for its own


def _orbax() -> Any:
    try:
        from orbax.checkpoint import v1
    except ImportError:
        raise ImportError(
            "Folders of arrays need the package orbax-checkpoint: run `pip install "
            "orbax-checkpoint`, or give a path that ends with `.safetensors`. [BST-A13]"
        ) from None
    return v1
