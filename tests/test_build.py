"""The build hook: what it makes of proto/caffe.proto is what the package carries."""

from __future__ import annotations

from pathlib import Path

import pytest

import nanlint
from hatch_build import compile_schema, without_keywords
from tests.conftest import PROJECT

PACKAGED = Path(nanlint.__file__).parent / "schema"


@pytest.mark.parametrize("name", ["caffe.desc", "caffe_docs.json", "caffe_tags.json"])
def test_the_package_carries_the_schema_as_it_stands(name: str, tmp_path: Path) -> None:
    compile_schema(PROJECT / "proto", tmp_path)
    same = (tmp_path / name).read_bytes() == (PACKAGED / name).read_bytes()
    assert same, "proto/caffe.proto has changed since the package was installed: `pip install -e .` again"


def test_a_schema_that_protoc_refuses_ends_the_build(tmp_path: Path) -> None:
    (tmp_path / "caffe.proto").write_text("message {")
    with pytest.raises(RuntimeError, match="protoc refuses"):
        compile_schema(tmp_path, tmp_path)


def test_type_stubs_leave_out_what_python_cannot_name() -> None:
    assert without_keywords("    None: int\n    Signed: int\n") == "    Signed: int\n"
