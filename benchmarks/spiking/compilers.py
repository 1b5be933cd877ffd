"""Compiles the C and C++ sources of this folder, once for each text and command."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[1] / ".cache" / "benchmarks"


def shared_library(source: str, compiler: str, *options: str) -> Path:
    """The compiled library of a source in this folder."""
    path = HERE / source
    command = [compiler, str(path), *options, "-shared", "-fPIC"]
    text = path.read_bytes() + repr(command).encode()
    made = CACHE / f"{path.stem}-{hashlib.sha256(text).hexdigest()[:12]}.so"
    if not made.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        unfinished = made.with_suffix(f".{os.getpid()}")
        subprocess.run([*command, "-o", str(unfinished)], check=True)
        unfinished.replace(made)
    return made
