"""The hook that projects with Caffe nets name in their `.pre-commit-config.yaml`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import PROJECT

HOOKS = PROJECT / ".pre-commit-hooks.yaml"
STORY = PROJECT / "examples" / "stories" / "pooling-off-the-edge"


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.org")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def hook() -> dict[str, str]:
    (hook,) = (one for one in yaml.safe_load(HOOKS.read_text()) if one["id"] == "nanlint")
    return dict(hook)


def test_it_takes_prototxts_which_have_no_file_type_there(hook: dict[str, str]) -> None:
    assert re.search(hook["files"], "models/lenet/solver.prototxt")
    assert not re.search(hook["files"], "models/lenet/solver.prototxt.py")
    assert "types" not in hook


def test_a_commit_with_a_broken_net_is_stopped(tmp_path: Path, hook: dict[str, str]) -> None:
    """With `language: system`, so that nothing is installed: all else is the hook as it is shipped."""
    config = {"repos": [{"repo": "local", "hooks": [{**hook, "language": "system"}]}]}
    (tmp_path / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    shutil.copytree(STORY / "bad", tmp_path / "net")
    (tmp_path / "notes.txt").write_text("not a net")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
    run = [sys.executable, "-m", "pre_commit", "run", "--all-files"]
    done = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "net/net.prototxt:57:5: error[POOL001] empty-pooling-window" in done.stdout
    shutil.copytree(
        STORY / "good", tmp_path / "net", dirs_exist_ok=True
    )
    git(tmp_path, "add", ".")
    done = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
