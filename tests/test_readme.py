"""What the README shows is what nanlint says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from nanlint import config, engine
from nanlint.commands import COMMANDS
from nanlint.engine.select import resolve
from nanlint.report import text
from nanlint.report.formats import FORMATS
from nanlint.report.style import painter
from tests.conftest import PROJECT

README = (PROJECT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_example_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT / "examples" / "stories" / "pooling-off-the-edge" / "bad")
    report = engine.check(["solver.prototxt"])
    shown = "\n".join(text.lines(report, 100, painter(False)))
    assert f"$ cd examples/stories/pooling-off-the-edge/bad && nanlint solver.prototxt\n{shown}\n" in blocks("text")


def test_the_find_in_caffe_itself(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shared / "corpus" / "BVLC+caffe" / "examples" / "mnist")
    report = engine.check(["lenet_consolidated_solver.prototxt"])
    shown = "\n".join(text.lines(report, 100, painter(False)))
    command, _, findings = blocks("text")[0].partition("\n")
    assert command == "caffe$ nanlint examples/mnist/lenet_consolidated_solver.prototxt"
    assert findings in shown


def test_every_command_and_format_is_named() -> None:
    shown = re.findall(r"^\| `nanlint (\w+)?.*` \|", README, re.MULTILINE)
    assert {*shown} | {"check", "explain", "rules"} >= {*COMMANDS}
    assert "`nanlint rules`" in README
    assert "`nanlint explain " in README
    (named,) = re.findall(r"^`--output-format` is ([^.]*)\.", README, re.MULTILINE)
    assert re.findall(r"`(\w+)`", named) == list(FORMATS)


@pytest.mark.parametrize("block", [one for one in blocks("sh") if not one.startswith("python3 -m venv")])
def test_every_command_works_in_a_clone(block: str) -> None:
    """Those that make an environment are run by `.ci/run`, which begins with a bare Python."""
    scripts = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": os.pathsep.join([scripts, os.environ["PATH"]])}
    command = ["sh", "-ec", block]
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    assert "nanlint: " not in done.stderr


def test_the_python_works_in_a_clone(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(PROJECT)
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), {})
    assert "POOL001" in capsys.readouterr().out


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert [target for target in targets if not (PROJECT / target).exists()] == []


def test_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "nanlint.toml").write_text(blocks("toml")[0])
    settings = config.load(tmp_path)
    for words in (settings.ignore, *settings.per_file_ignores.values()):
        for word in words:
            assert resolve(word)
