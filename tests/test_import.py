"""What `import brainstate` does beside importing."""

import shutil
import subprocess
import sys
from pathlib import Path

import brainstate

ROOT = Path(brainstate.__file__).parent


def run(site):
    code = "import warnings; warnings.simplefilter('error'); import brainstate"
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env={"PYTHONPATH": str(site)}, capture_output=True, text=True)


def test_two_distributions_of_one_import_name_are_reported(tmp_path):
    shutil.copytree(ROOT, tmp_path / "brainstate")
    assert run(tmp_path).returncode == 0
    (tmp_path / "brainstate-0.6.0.dist-info").mkdir()
    outcome = run(tmp_path)
    assert outcome.returncode != 0
    assert "pip uninstall brainstate" in outcome.stderr
