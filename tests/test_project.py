"""The repository as a project: its forms and workflows say what its scripts do, its versions agree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

import nanlint
from tests.conftest import PROJECT

GITHUB = PROJECT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
SCRIPTS = [*(PROJECT / ".ci").iterdir(), PROJECT / "integrations" / "action.sh"]


def parsed(path: Path) -> dict[str, object]:
    return dict(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_run_scripts_that_are_there_and_may_write_little(path: Path) -> None:
    text = path.read_text()
    assert parsed(path)["permissions"] == {"contents": "read"}
    for script in re.findall(r"\.ci/[\w-]+", text):
        assert os.access(PROJECT / script, os.X_OK), script


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_shell(path: Path) -> None:
    if shutil.which("bash") is None:
        pytest.skip("there is no bash")
    assert subprocess.run(["bash", "-n", str(path)], check=False).returncode == 0
    assert os.access(path, os.X_OK)


def test_the_action_hands_its_inputs_to_its_script() -> None:
    action = yaml.safe_load((PROJECT / "action.yml").read_text())
    step = action["runs"]["steps"][-1]
    script = (PROJECT / "integrations" / "action.sh").read_text()
    assert {f"${{{{ inputs.{name} }}}}" for name in action["inputs"]} == {*step["env"].values()}
    assert all(name in script for name in step["env"])


@pytest.mark.parametrize("path", sorted((GITHUB / "ISSUE_TEMPLATE").glob("[!c]*.yml")), ids=lambda path: path.stem)
def test_forms_ask_for_solver_net_and_log(path: Path) -> None:
    fields = {field["id"] for field in yaml.safe_load(path.read_text())["body"]}
    assert {"solver", "net", "log"} <= fields


def test_the_changelog_has_the_version() -> None:
    text = (PROJECT / "CHANGELOG.md").read_text()
    assert f"\n## {nanlint.__version__}\n" in text
    assert "\n## Unreleased\n" in text


def test_a_tag_that_is_not_the_version_is_refused() -> None:
    if shutil.which("bash") is None:
        pytest.skip("there is no bash")
    check = str(PROJECT / ".ci" / "release-check")
    assert subprocess.run([check, f"v{nanlint.__version__}"], check=False).returncode == 0
    assert subprocess.run([check, "v99.0.0"], check=False, capture_output=True).returncode == 1
