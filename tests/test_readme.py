"""What the README says must be so: its example runs, and what it names exists."""

import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def test_example_prints_what_it_says():
    programs = blocks("python")
    assert len(programs) == 1
    command = [sys.executable, "-W", "error", "-c", programs[0]]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT / "src")
    assert done.returncode == 0, done.stderr
    assert done.stdout == blocks("text")[0]


def test_links_lead_somewhere():
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert len(links) > 3
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_tree_of_folders_exists():
    named, folder = [], ROOT
    for line in blocks("text")[1].splitlines():
        name = line.split()[0]
        path = (folder if line.startswith(" ") else ROOT) / name
        folder = folder if line.startswith(" ") else path
        named.append(path)
    assert [str(path) for path in named if not path.exists()] == []
    rooms = {path.name for path in named if path.parent == ROOT / "src" / "brainstate"}
    public = {path.name for path in (ROOT / "src" / "brainstate").glob("[!_.]*/")}
    assert public - rooms - {"mixin", "util"} == set(), "rooms that the README leaves out"


def test_commands_exist():
    commands = "".join(blocks("sh"))
    targets = re.findall(r"^make (\w+)", commands, re.MULTILINE)
    makefile = (ROOT / "Makefile").read_text()
    assert targets
    assert [target for target in targets if not re.search(rf"(?m)^{target}:", makefile)] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = re.findall(r"\.\[(\w+)\]", commands)
    assert extras
    assert {*extras} <= {*project["optional-dependencies"]}


def test_names_of_the_distribution_and_versions():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"`{project['name']}`" in README
    assert f"(3{project['requires-python'].removeprefix('>=3')} or newer)" in README
    jax = next(d for d in project["dependencies"] if d.startswith("jax>="))
    assert f"JAX {jax.removeprefix('jax>=')} or newer" in README


def test_picture_shows_the_layers_as_they_are():
    layers = runpy.run_path(ROOT / "docs" / "layers.py")
    drawn = (ROOT / "docs" / "layers.svg").read_text()
    assert drawn == layers["draw"](layers["layers"]()), "run `python docs/layers.py`"
