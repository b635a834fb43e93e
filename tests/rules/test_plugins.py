"""Rules of other packages, by entry point: the documentation's own example."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.calls import GOOD, NET
from tests.conftest import PROJECT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project, and beside it an installed package with the rule that the documentation shows."""
    page = (PROJECT / "docs" / "pages" / "python.md").read_text()
    (source,) = (one for one in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "@rule(" in one)
    library = tmp_path / "library"
    (library / "acme-1.dist-info").mkdir(parents=True)
    (library / "acme_rules.py").write_text(source)
    (library / "acme-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1\n")
    (library / "acme-1.dist-info" / "entry_points.txt").write_text("[nanlint.rules]\nacme = acme_rules\n")
    (tmp_path / "solver.prototxt").write_text(GOOD)
    (tmp_path / "net.prototxt").write_text(NET)
    return tmp_path


def nanlint(project: Path, plugins: str) -> subprocess.CompletedProcess[str]:
    (project / "nanlint.toml").write_text(f"plugins = [{plugins}]\n")
    code = "import sys; sys.path.insert(0, 'library'); from nanlint.__main__ import main; main()"
    command = [sys.executable, "-c", code, "solver.prototxt", "--output-format", "concise"]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)


def test_a_plugin_that_is_named_finds(project: Path) -> None:
    done = nanlint(project, '"acme"')
    assert done.returncode == 1, done.stderr
    assert "solver.prototxt:5:1: warning[ACME001] acme-snapshots: snapshots stay on this machine" in done.stdout


def test_a_plugin_that_is_not_named_is_not_loaded(project: Path) -> None:
    assert nanlint(project, "").returncode == 0


def test_a_plugin_that_is_not_there_is_said(project: Path) -> None:
    done = nanlint(project, '"acne"')
    assert done.returncode == 2
    assert "no installed package has the plugin `acne`; there is `acme`" in done.stderr
