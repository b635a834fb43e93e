from __future__ import annotations

from pathlib import Path

import pytest

from nanlint import config
from nanlint.config import Settings, UsageError


def write(folder: Path, text: str, name: str = "nanlint.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    assert config.load(tmp_path) == Settings()


def test_every_key(tmp_path: Path) -> None:
    write(
        tmp_path,
        """
        select = ["POOL", "LR001"]
        ignore = ["unused-top"]
        fail-on = "error"
        caffe = "ssd"
        proto = "fork.proto"
        roots = ["models"]
        [inputs]
        data = [64, 3, 227, 227]
        [ranges]
        data = [0, 255]
        [per-file-ignores]
        "deploy*.prototxt" = ["LR001"]
        """,
    )
    assert config.load(tmp_path) == Settings(
        select=("POOL", "LR001"),
        ignore=("unused-top",),
        fail_on="error",
        caffe="ssd",
        proto=str(tmp_path / "fork.proto"),
        roots=(str(tmp_path / "models"),),
        inputs={"data": (64, 3, 227, 227)},
        ranges={"data": (0.0, 255.0)},
        per_file_ignores={"deploy*.prototxt": ("LR001",)},
    )


def test_the_nearest_file_wins_and_a_pyproject_without_the_table_is_passed_by(tmp_path: Path) -> None:
    write(tmp_path, 'fail-on = "info"')
    inner = tmp_path / "project" / "models"
    inner.mkdir(parents=True)
    write(inner.parent, '[tool.other]\nkey = "x"', "pyproject.toml")
    assert config.load(inner).fail_on == "info"
    write(inner.parent, '[tool.nanlint]\nfail-on = "error"', "pyproject.toml")
    assert config.load(inner).fail_on == "error"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("fail_on = 'error'", "unknown key `fail_on` (did you mean `fail-on`?)"),
        ("fail-on = 'fatal'", '`fail-on` should be one of "error", "warning", "info"'),
        ("select = 'POOL001'", "`select` should be a list of strings"),
        ("[inputs]\ndata = '64'", "`inputs` should be a table of shapes"),
        ("[ranges]\ndata = [1]", "`ranges` should be a table of value ranges"),
        ("inputs = 3", "`inputs` should be a table"),
        ("select = [", "nanlint.toml"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, text: str, complaint: str) -> None:
    write(tmp_path, text)
    with pytest.raises(UsageError, match=".") as caught:
        config.load(tmp_path)
    assert complaint in str(caught.value)


def test_the_call_wins_over_the_file_and_adds_to_its_tables() -> None:
    found = Settings(select=("LR",), roots=("a",), inputs={"data": (1,), "label": (1,)})
    merged = config.merge(found, select=("POOL",), roots=("b",), inputs={"data": (2,)}, caffe=None, ignore=())
    assert merged == Settings(select=("POOL",), roots=("a", "b"), inputs={"data": (2,), "label": (1,)})


def test_inputs_and_ranges_on_the_command_line() -> None:
    assert config.parse_input("data:64,3,227,227") == ("data", (64, 3, 227, 227))
    assert config.parse_range("data:-1.5,1e3") == ("data", (-1.5, 1000.0))


@pytest.mark.parametrize("words", ["data", "data:", ":1,2", "data:1,x", "data:-1"])
def test_an_input_that_is_none(words: str) -> None:
    with pytest.raises(UsageError, match="is not of the form"):
        config.parse_input(words)


@pytest.mark.parametrize("words", ["data", "data:1", "data:2,1", "data:nan,1", "data:1,2,3"])
def test_a_range_that_is_none(words: str) -> None:
    with pytest.raises(UsageError, match="is not of the form"):
        config.parse_range(words)
