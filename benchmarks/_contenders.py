"""Contenders that are processes of their own, in environments of their own, and take turns."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

CACHE = Path(__file__).resolve().parents[1] / ".cache" / "benchmarks"


class Contender(NamedTuple):
    """A program, the Python that runs it, and more arguments for it."""

    title: str
    program: str
    python: str = sys.executable
    options: tuple[str, ...] = ()


class Process:
    """A contender that has got ready, and answers each line that it is sent with one of JSON."""

    def __init__(self, contender: Contender, folder: Path, *arguments: object):
        self.title = contender.title
        command = [contender.python, str(folder / contender.program), *map(str, arguments)]
        self.child = subprocess.Popen(
            [*command, *contender.options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=_environment(contender.python),
        )
        try:
            while self._line() != "ready":
                pass
        except BaseException:
            self.close()
            raise

    def _line(self) -> str:
        line = self.child.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.title} ended with status {self.child.wait()}.")
        return line.strip()

    def ask(self) -> Any:
        self.child.stdin.write("\n")
        self.child.stdin.flush()
        return json.loads(self._line())

    def close(self) -> None:
        self.child.kill()
        self.child.wait()
        self.child.stdin.close()
        self.child.stdout.close()


def _environment(python: str) -> dict[str, str]:
    """What a contender inherits; a peer must not find this library on its path."""
    own = python == sys.executable
    return {key: value for key, value in os.environ.items() if own or key != "PYTHONPATH"}


def in_turn(
    contenders: list[Contender], folder: Path, arguments: tuple, rounds: int
) -> dict[Contender, list[Any]]:
    """The answers of each, asked in turn, round after round."""
    answers: dict[Contender, list[Any]] = {contender: [] for contender in contenders}
    running: dict[Contender, Process] = {}
    try:
        for contender in contenders:
            running[contender] = Process(contender, folder, *arguments)
        for _ in range(rounds):
            for contender, process in running.items():
                answers[contender].append(process.ask())
    finally:
        for process in running.values():
            process.close()
    return answers


class Environment(NamedTuple):
    """A virtual environment under `.cache/benchmarks`."""

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
