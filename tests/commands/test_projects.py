"""Which configuration holds for which file, and what of a folder is linted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nanlint.config.keys import KEYS
from nanlint.config.schema import schema
from nanlint.config.settings import Settings
from tests.calls import BAD, NET, Call


@pytest.fixture
def two(project: Path) -> Path:
    """Two folders with the same solver, of which one ignores what is wrong with it."""
    for name in ("strict", "mild"):
        (project / name).mkdir()
        (project / name / "solver.prototxt").write_text(BAD)
        (project / name / "net.prototxt").write_text(NET)
    (project / "mild" / "nanlint.toml").write_text('ignore = ["unknown-lr-policy"]\n')
    return project


def found(nanlint: Call, *arguments: str) -> list[str]:
    done = nanlint(*arguments, "--output-format", "json")
    return [finding["path"] for finding in json.loads(done.stdout)["findings"]]


@pytest.mark.parametrize("paths", [("strict/solver.prototxt", "mild/solver.prototxt"), ("strict", "mild")])
def test_the_nearest_configuration_of_each_file_holds(two: Path, nanlint: Call, paths: tuple[str, ...]) -> None:
    assert found(nanlint, *paths) == ["strict/solver.prototxt"]


def test_a_configuration_within_a_folder_holds_for_what_is_beside_it(two: Path, nanlint: Call) -> None:
    assert found(nanlint, ".") == ["bad.prototxt", "strict/solver.prototxt"]


def test_a_named_configuration_is_that_of_all(two: Path, nanlint: Call) -> None:
    assert found(nanlint, "strict", "mild", "--config", "mild/nanlint.toml") == []


def test_standard_input_has_the_configuration_of_its_name(two: Path, nanlint: Call) -> None:
    assert nanlint("-", "--stdin-filename", "mild/solver.prototxt", stdin=BAD).returncode == 0
    assert nanlint("-", "--stdin-filename", "strict/solver.prototxt", stdin=BAD).returncode == 1


def test_a_configuration_extends_another(two: Path, nanlint: Call) -> None:
    (two / "strict" / "nanlint.toml").write_text('extend = "../mild/nanlint.toml"\n[ranges]\ndata = [0, 1]\n')
    assert found(nanlint, "strict") == []


def test_a_circle_of_configurations_is_said(two: Path, nanlint: Call) -> None:
    (two / "mild" / "nanlint.toml").write_text('# first\nextend = "../strict/nanlint.toml"\n')
    (two / "strict" / "nanlint.toml").write_text('extend = "../mild/nanlint.toml"\n')
    done = nanlint("strict")
    assert done.returncode == 2
    assert "nanlint.toml:2: `extend` leads back to" in done.stderr


def test_mistakes_are_said_with_file_and_line(two: Path, nanlint: Call) -> None:
    (two / "strict" / "nanlint.toml").write_text("\n\nfail_on = 'error'\n")
    assert "nanlint.toml:3: unknown key `fail_on` (did you mean `fail-on`?)" in nanlint("strict").stderr
    (two / "strict" / "nanlint.toml").write_text("caffe = 'bvlc'\n[severity]\nLR002 = 'fatal'\n")
    assert "nanlint.toml:2: `severity` should be a table of severities" in nanlint("strict").stderr


@pytest.mark.parametrize(
    ("named", "said"),
    [("missing.toml", "no such file or directory"), ("/dev/zero", "it is a device"), (".", "it is a folder")],
)
def test_what_a_configuration_cannot_extend(two: Path, nanlint: Call, named: str, said: str) -> None:
    (two / "strict" / "nanlint.toml").write_text(f'extend = "{named}"\n')
    done = nanlint("strict")
    assert done.returncode == 2
    assert said in done.stderr


def test_severities_by_rule(two: Path, nanlint: Call) -> None:
    toml = two / "strict" / "nanlint.toml"
    toml.write_text('[severity]\nLR = "info"\nunknown-lr-policy = "warning"\n')
    done = nanlint("strict", "--output-format", "json")
    assert [one["severity"] for one in json.loads(done.stdout)["findings"]] == ["warning"]
    toml.write_text('[severity]\nLR002 = "off"\n')
    assert nanlint("strict").returncode == 0
    toml.write_text('[severity]\nLR999 = "off"\n')
    assert "no rule `LR999`" in nanlint("strict").stderr


def test_what_is_excluded_is_left_out_of_folders_and_linted_by_name(two: Path, nanlint: Call) -> None:
    (two / "nanlint.toml").write_text('exclude = ["strict/", "bad.*"]\n')
    assert found(nanlint, ".") == []
    assert found(nanlint, "bad.prototxt") == ["bad.prototxt"]


def test_what_git_ignores_is_left_out_of_folders(two: Path, nanlint: Call) -> None:
    (two / ".gitignore").write_text("*.prototxt\n!bad.prototxt\n")
    assert "strict/solver.prototxt" in found(nanlint, ".")
    (two / ".git").mkdir()
    assert found(nanlint, ".") == ["bad.prototxt"]
    (two / "strict" / ".gitignore").write_text("!solver.prototxt\n")
    assert found(nanlint, ".") == ["bad.prototxt", "strict/solver.prototxt"]
    (two / "nanlint.toml").write_text("respect-gitignore = false\n")
    assert "strict/net.prototxt" in nanlint("--show-files", ".").stdout.splitlines()


def test_the_files_of_a_call_are_shown(two: Path, nanlint: Call) -> None:
    assert nanlint("--show-files", "strict").stdout.split() == ["strict/net.prototxt", "strict/solver.prototxt"]


def test_the_settings_that_hold_are_shown(two: Path, nanlint: Call) -> None:
    shown = nanlint("--show-settings", "strict", "mild", "--caffe", "bvlc").stdout.splitlines()
    assert shown[0] == "# no configuration file"
    assert 'caffe = "bvlc"' in shown
    assert f"# from {two / 'mild' / 'nanlint.toml'}" in shown
    assert 'ignore = ["unknown-lr-policy"]' in shown


def test_the_schema_describes_every_setting() -> None:
    import jsonschema

    described = schema()
    settings = {name.replace("_", "-") for name in Settings.__dataclass_fields__} - {"file"}
    assert {*described["properties"]} == settings | {"extend"} == {*KEYS}
    jsonschema.Draft7Validator.check_schema(described)
    jsonschema.validate({"fail-on": "error", "inputs": {"data": [1, 2]}, "severity": {"LR": "off"}}, described)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"fail_on": "error"}, described)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"ranges": {"data": [1]}}, described)
