"""The forks' share of the schema, held against the table of what was found in their sources."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nanlint.findings import Severity
from nanlint.schema.bind import Bound, bind
from nanlint.schema.descriptors import descriptor, enum
from nanlint.schema.dialect import Dialect
from nanlint.schema.fork_names import REPOSITORIES
from nanlint.schema.forks import (
    FIRST_FORK_NUMBER,
    every_fork,
    forks_of,
    forks_repeating,
    forks_with_type,
    forks_without,
    readers,
    type_readers,
    variants,
)
from nanlint.text.parser import parse
from nanlint.text.source import Source

SSD = Dialect.named("ssd")
ANCIENT = {"vsubhashini/caffe"}
"""A fork with branches older than `layers { }`, whose layer messages are V0's under today's name."""
MERGED = {
    "ChannelNormalizeParameter": "NormalizeParameter",
    "NmsParameter": "NMSParameter",
    "FrcnnProposalParameter": "ProposalParameter",
    "SeLuParameter": "SeLUParameter",
    "SeLuDropoutParameter": "SeLUDropoutParameter",
    "LstmParameter": "LSTMParameter",
    "FrcnnProposalTargetParameter": "ProposalTargetParameter",
}
"""Messages of one fork that others call otherwise, and so stand in one."""


def field(message: str, name: str):  # type: ignore[no-untyped-def]
    return descriptor(message).fields_by_name[name]


def net(text: str, dialect: Dialect = Dialect.ANY) -> Bound:
    return bind(parse(Source("net.prototxt", text)), "NetParameter", dialect)


def solver(text: str, dialect: Dialect = Dialect.ANY) -> Bound:
    return bind(parse(Source("solver.prototxt", text)), "SolverParameter", dialect)


def kinds(bound: Bound) -> list[str]:
    return [problem.kind for problem in bound.problems]


def test_every_field_found_in_a_fork_is_in_the_schema(shared: Path) -> None:
    table = json.loads((shared / "facts" / "schema_forks.json").read_text())
    v1 = descriptor("V1LayerParameter").fields_by_name
    lacking = []
    for message, fields in table["messages"].items():
        for name, versions in fields.items():
            where = MERGED.get(message, message)
            try:
                known = name in descriptor(where).fields_by_name
            except KeyError:
                known = False
            old = message in ("LayerParameter", "LayerConnection") and (
                name in v1 or {fork for version in versions for fork in version["forks"]} <= ANCIENT
            )
            if not known and not old:
                lacking.append(f"{message}.{name}")
    assert lacking == []


SPELLED = {"bool": "true", "float": "0.5", "string": '"a"', "bytes": '"a"'}


def spelled(kind: str) -> str:
    """A value of a type by its name: an empty block for a message."""
    if kind in SPELLED:
        return f": {SPELLED[kind]}"
    messages = descriptor("NetParameter").file.message_types_by_name
    return " { }" if MERGED.get(kind, kind) in messages else ": 1"


def test_where_forks_disagree_on_a_type_either_is_read(shared: Path) -> None:
    table = json.loads((shared / "facts" / "schema_forks.json").read_text())["messages"]
    refused = []
    for message, fields in table.items():
        for name, versions in fields.items():
            if len(versions) == 1:
                continue
            for version in versions:
                value = spelled(version["type"])
                text = f"{name}{value} " * (2 if version["label"] == "repeated" else 1)
                bound = bind(parse(Source("x", text)), MERGED.get(message, message))
                refused += [f"{message}: {text}: {problem.message}" for problem in bound.problems]
    assert refused == []


def test_a_bvlc_field_belongs_to_no_fork() -> None:
    assert forks_of(field("PoolingParameter", "stride")) == frozenset()
    assert forks_without(field("PoolingParameter", "stride")) == frozenset()
    assert readers(field("PoolingParameter", "stride")) == every_fork()


def test_a_fork_field_names_its_forks() -> None:
    assert {"ssd", "nvidia", "intel"} <= forks_of(field("LayerParameter", "permute_param"))
    assert "segnet" not in forks_of(field("LayerParameter", "permute_param"))
    assert field("LayerParameter", "permute_param").number >= FIRST_FORK_NUMBER


def test_an_old_fork_lacks_what_bvlc_added_later() -> None:
    assert {"ssd", "nvidia"} <= forks_without(field("PoolingParameter", "round_mode"))
    assert "segnet" in forks_without(field("LayerParameter", "batch_norm_param"))


def test_a_fork_value_names_its_forks() -> None:
    value = enum("PoolingParameter.Engine").values_by_name["MKL2017"]
    assert forks_of(value) == {"intel"}
    assert forks_of(enum("PoolingParameter.Engine").values_by_name["CAFFE"]) == frozenset()


def test_a_field_may_have_another_label_or_type_in_some_forks() -> None:
    assert {"intel", "video"} <= forks_repeating(field("PoolingParameter", "kernel_size"))
    assert forks_repeating(field("PoolingParameter", "pool")) == frozenset()
    assert variants(field("RegionLossParameter", "softmax")) == {"bool": {"maskyolo"}}


def test_layer_types_name_their_forks() -> None:
    assert "ssd" in forks_with_type("PriorBox")
    assert forks_with_type("Convolution") == frozenset()
    assert forks_with_type("NoSuchLayer") == frozenset()
    assert "segnet" not in type_readers("BatchNorm")
    assert "ssd" in type_readers("BatchNorm")


@pytest.mark.parametrize("name", ["ssd", "SSD", "weiliu89/caffe", "WeiLiu89/Caffe"])
def test_a_fork_is_known_by_nickname_and_repository(name: str) -> None:
    assert Dialect.named(name) == SSD


def test_an_unknown_fork_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="pspnet"):
        Dialect.named("pspnett")


def test_fixed_dialects_keep_their_identity() -> None:
    assert Dialect.named("bvlc") is Dialect.BVLC
    assert Dialect.named("any") is Dialect.ANY
    assert not Dialect.ANY.pinned
    assert SSD.pinned


PERMUTE = 'layer { name: "p" type: "Permute" permute_param { order: 0 order: 2 } }'


def test_a_known_forks_field_is_read_unless_another_caffe_is_pinned() -> None:
    assert kinds(net(PERMUTE)) == []
    assert kinds(net(PERMUTE, SSD)) == []
    assert kinds(net(PERMUTE, Dialect.BVLC)) == ["fork-field"]
    assert kinds(net(PERMUTE, Dialect.named("segnet"))) == ["fork-field"]


def test_what_a_fork_lacks_is_in_doubt_for_it_may_have_moved_on() -> None:
    (in_bvlc,) = net(PERMUTE, Dialect.BVLC).problems
    (in_segnet,) = net(PERMUTE, Dialect.named("segnet")).problems
    assert in_bvlc.severity is None
    assert in_segnet.severity is Severity.WARNING


def test_a_refused_field_is_told_with_its_forks() -> None:
    (problem,) = net(PERMUTE, Dialect.BVLC).problems
    assert "only forks have it: ssd, nvidia, intel" in problem.message


def test_a_pinned_fork_refuses_what_bvlc_added_later() -> None:
    text = 'layer { name: "p" type: "Pooling" pooling_param { kernel_size: 2 round_mode: FLOOR } }'
    assert kinds(net(text)) == []
    assert kinds(net(text, SSD)) == ["fork-field"]


def test_a_fork_value_is_read_unless_another_caffe_is_pinned() -> None:
    text = 'layer { name: "p" type: "Pooling" pooling_param { kernel_size: 2 engine: MKL2017 } }'
    assert kinds(net(text)) == []
    assert kinds(net(text, Dialect.named("intel"))) == []
    assert kinds(net(text, SSD)) == ["fork-field"]
    assert kinds(net(text, Dialect.BVLC)) == ["fork-field"]


@pytest.mark.parametrize("spelling", ["kernel_size: 3 kernel_size: 2 kernel_size: 1", "kernel_size: [3, 2, 1]"])
def test_a_field_that_forks_repeat_keeps_all_its_values(spelling: str) -> None:
    text = f'layer {{ name: "p" type: "Pooling" pooling_param {{ {spelling} }} }}'
    bound = net(text)
    assert kinds(bound) == []
    assert bound.repeats == {"layer[0].pooling_param.kernel_size": (3, 2, 1)}
    assert [use.what for use in bound.fork_uses] == ["several values of `kernel_size`"]
    assert kinds(net(text, Dialect.BVLC)) != []
    assert kinds(net(text, Dialect.named("video"))) == []
    assert kinds(net(text, SSD)) != []


def test_the_message_holds_the_first_of_several_values() -> None:
    bound = solver("device_id: [2, 5]")
    assert bound.message.device_id == 2  # type: ignore[attr-defined]
    assert bound.repeats == {"device_id": (2, 5)}


def test_a_value_is_read_as_a_forks_other_type() -> None:
    text = 'layer { name: "r" type: "RegionLoss" region_loss_param { softmax: true } }'
    bound = net(text)
    assert kinds(bound) == []
    assert bound.message.layer[0].region_loss_param.softmax == 1  # type: ignore[attr-defined]


def test_each_repository_has_one_place_in_the_list() -> None:
    assert len(REPOSITORIES) == len(every_fork())
