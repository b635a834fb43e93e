"""A fork's own caffe.proto, laid over the schema."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nanlint.schema import descriptors
from nanlint.schema.bind import Bound, bind
from nanlint.schema.proto_file import ProtoDialect, use_proto
from nanlint.text.parser import parse
from nanlint.text.source import Source

SCHEMA = """
syntax = "proto2";
package caffe;
message NetParameter { optional string name = 1; repeated LayerParameter layer = 100; }
message LayerParameter {
  optional string name = 1; optional string type = 2;
  optional PoolingParameter pooling_param = 121;
  optional HomeMadeParameter home_made_param = 500;
}
message PoolingParameter {
  enum PoolMethod { MAX = 0; AVE = 1; MEDIAN = 2; }
  optional PoolMethod pool = 1 [default = MAX];
  repeated uint32 kernel_size = 2;
}
message HomeMadeParameter {
  enum Mode { FAST = 0; SLOW = 1; }
  optional Mode mode = 1 [default = SLOW];
  optional float factor = 2 [default = 0.5];
}
"""


@pytest.fixture
def dialect(tmp_path: Path) -> Iterator[ProtoDialect]:
    file = tmp_path / "caffe.proto"
    file.write_text(SCHEMA)
    yield use_proto(str(file))
    descriptors.use(None)


def net(text: str, dialect: ProtoDialect) -> Bound:
    return bind(parse(Source("net.prototxt", text)), "NetParameter", dialect)


def kinds(bound: Bound) -> list[str]:
    return [problem.kind for problem in bound.problems]


def test_reads_what_nobody_has_heard_of(dialect: ProtoDialect) -> None:
    bound = net('layer { type: "HomeMade" home_made_param { mode: FAST } }', dialect)
    assert kinds(bound) == []
    param = bound.message.layer[0].home_made_param  # type: ignore[attr-defined]
    assert (param.mode, param.factor) == (0, 0.5)


def test_reads_its_enum_values(dialect: ProtoDialect) -> None:
    assert kinds(net('layer { type: "Pooling" pooling_param { pool: MEDIAN } }', dialect)) == []


def test_refuses_what_it_lacks(dialect: ProtoDialect) -> None:
    assert kinds(net("layer { pooling_param { stride: 2 } }", dialect)) == ["fork-field"]
    assert kinds(net("layer { pooling_param { pool: STOCHASTIC } }", dialect)) == ["fork-field"]
    assert kinds(net("layer { permute_param { } }", dialect)) == ["fork-field"]


def test_repeats_what_it_repeats(dialect: ProtoDialect) -> None:
    bound = net("layer { pooling_param { kernel_size: 3 kernel_size: 2 } }", dialect)
    assert kinds(bound) == []
    assert bound.repeats == {"layer[0].pooling_param.kernel_size": (3, 2)}


def test_rules_still_find_every_field_that_they_read(dialect: ProtoDialect) -> None:
    bound = net('layer { type: "Pooling" pooling_param { kernel_size: 3 } }', dialect)
    assert bound.message.layer[0].pooling_param.stride == 1  # type: ignore[attr-defined]


def test_the_packaged_schema_comes_back(dialect: ProtoDialect) -> None:
    descriptors.use(None)
    assert "home_made_param" not in descriptors.descriptor("LayerParameter").fields_by_name


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("message NetParameter { optional int16 x = 1; }", "protoc refuses"),
        ('syntax = "proto2"; message Other { }', "declares no NetParameter"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_in_words(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "caffe.proto"
    file.write_text(text)
    with pytest.raises(ValueError, match=complaint):
        use_proto(str(file))


def test_a_missing_file_is_said() -> None:
    with pytest.raises(ValueError, match="is no file"):
        use_proto("no/such/caffe.proto")
