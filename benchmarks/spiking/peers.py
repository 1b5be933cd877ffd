"""Other simulators, each in an environment of its own under `.cache/benchmarks`."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from .compilers import CACHE
from .contest import Contender

VERSION = (3, 13)  # what the newest releases of all peers run on


class Environment(NamedTuple):
    name: str
    packages: tuple[str, ...]

    @property
    def python(self) -> str:
        return str(CACHE / self.name / "bin" / "python")

    def make(self, base: str) -> None:
        """Install the packages, unless just these were installed before."""
        folder, wanted = CACHE / self.name, "\n".join(self.packages)
        stamp = folder / "installed.txt"
        if stamp.exists() and stamp.read_text() == wanted:
            return
        print(f"installing {' '.join(self.packages)} (a minute or two, once) ...", flush=True)
        subprocess.run([base, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [self.python, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        subprocess.run([*pip, *self.packages], check=True)
        stamp.write_text(wanted)


BRIAN = Environment("brian2", ("brian2==2.11.0", "setuptools<81"))
BRAINPY = Environment(
    "brainpy", ("brainpy==2.9.0", "brainstate==0.6.0", "brainevent==0.3.0", "numba")
)

SAME_SCHEME, USUAL_SCHEME = ("exponential_euler",), ("euler",)  # of conductances
BRIAN2 = Contender("Brian2, C++ standalone", "brian2_standalone.py", BRIAN.python, USUAL_SCHEME)
BRIAN2_SAME = Contender(
    "Brian2, C++ standalone, exponential Euler", BRIAN2.program, BRIAN.python, SAME_SCHEME
)
BRIAN2_CYTHON = Contender("Brian2, Cython", "brian2_cython.py", BRIAN.python, USUAL_SCHEME)
BRAINPY_STATE = Contender("BrainPy on BrainState 0.6", "brainpy_state.py", BRAINPY.python)


def peers(network: str) -> list[Contender]:
    """All peers for this network, installed; none where there is no Python that they need."""
    base = find_python(VERSION)
    if base is None:
        print(f"No peers: no working Python {'.'.join(map(str, VERSION))} was found.")
        return []
    for environment in (BRIAN, BRAINPY):
        environment.make(base)
    same = [BRIAN2_SAME] if network == "coba" else []  # CUBA is solved exactly by all
    return [BRIAN2, *same, BRIAN2_CYTHON, BRAINPY_STATE]


def find_python(version: tuple[int, int]) -> str | None:
    """A Python of this version. Shims of version managers may fail when called, so it is tried."""
    name = ".".join(map(str, version))
    home = Path.home()
    pyenv = Path(os.environ.get("PYENV_ROOT") or home / ".pyenv")
    uv = Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share") / "uv/python"
    candidates = [
        *filter(None, [shutil.which(f"python{name}")]),
        *(str(path) for path in pyenv.glob(f"versions/{name}*/bin/python3")),
        *(str(path) for path in uv.glob(f"cpython-{name}*/bin/python3")),
    ]
    check = f"import ensurepip, sys, venv; sys.exit(sys.version_info[:2] != {version})"
    for candidate in candidates:
        if subprocess.run([candidate, "-c", check], capture_output=True).returncode == 0:
            return candidate
    return None
