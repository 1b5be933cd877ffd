"""Compiles the native product where a C++ compiler is at hand, once for each version of it.

The library lies in the user's cache, under a name made of the source, the version of jaxlib (whose
headers it is compiled with), the compiler and the processor; or in BRAINSTATE_CACHE_DIR.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

import jax
import jaxlib

from .calls import TARGETS, target_name

_SOURCES = "ffi.cc", "rows.h", "threads.h"
_COMPILERS = "c++", "g++", "clang++"
_FLAGS = "-std=c++17", "-O3", "-march=native", "-fPIC", "-shared"
_SECONDS = 120


class Unavailable(Exception):
    """Why there is no native product."""


def load() -> Path:
    """Compile the library unless it is there, and register its kernels; its path."""
    compiler = _compiler()
    library = _cache() / f"event-{_key(compiler)}.so"
    if not library.exists():
        _compile(compiler, library)
    try:
        kernels = ctypes.CDLL(str(library))
    except OSError as error:
        raise Unavailable(f"{library} cannot be loaded: {error}") from error
    for kernel in TARGETS:
        name = target_name(kernel)
        capsule = jax.ffi.pycapsule(getattr(kernels, name))
        jax.ffi.register_ffi_target(name, capsule, platform="cpu")
    return library


def _compiler() -> str:
    named = os.environ.get("CXX")
    candidates = [named] if named else _COMPILERS
    found = next(filter(None, map(shutil.which, candidates)), None)
    if found is None:
        where = f"CXX={named}" if named else ", ".join(_COMPILERS)
        raise Unavailable(f"no C++ compiler was found ({where})")
    return found


def _cache() -> Path:
    chosen = os.environ.get("BRAINSTATE_CACHE_DIR")
    base = Path(chosen) if chosen else _user_cache() / "brainstate"
    try:
        base.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=base):
            return base
    except OSError as error:
        raise Unavailable(
            f"{base} cannot be written to ({error.strerror}); name another folder in "
            "BRAINSTATE_CACHE_DIR"
        ) from error


def _user_cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME")
    return Path(home) if home else Path.home() / ".cache"


def _key(compiler: str) -> str:
    folder = Path(__file__).parent
    facts = [
        *((folder / name).read_text() for name in _SOURCES),
        jaxlib.__version__,
        compiler,
        *_FLAGS,
        *_processor(),
    ]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]


def _processor() -> list[str]:
    """What `-march=native` looks at: a home directory may be seen from different machines."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    kinds = {line for line in lines if line.startswith(("model name", "flags", "Features"))}
    return [platform.system(), platform.machine(), *sorted(kinds)]


def _compile(compiler: str, library: Path) -> None:
    """Under a name of its own first, so that no other process sees half a file."""
    source = Path(__file__).parent / _SOURCES[0]
    includes = "-isystem", str(jax.ffi.include_dir())
    with tempfile.TemporaryDirectory(dir=library.parent) as folder:
        unfinished = Path(folder) / library.name
        command = [compiler, *_FLAGS, *includes, str(source), "-o", str(unfinished)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=_SECONDS)
        except subprocess.CalledProcessError as error:
            first = next(iter(error.stderr.strip().splitlines()), "no message")
            raise Unavailable(f"{compiler} failed: {first}") from error
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable(f"{compiler} did not run: {error}") from error
        os.replace(unfinished, library)
