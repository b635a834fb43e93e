"""Which Caffe can read a file."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from nanlint.caffe.forks import BVLC, able, at_odds, fork_needs, needs
from nanlint.schema.bind import Bound, bind
from nanlint.schema.dialect import Dialect
from nanlint.schema.fork_names import REPOSITORIES
from nanlint.text.parser import parse
from nanlint.text.source import Source


def net(text: str, dialect: Dialect = Dialect.ANY) -> Bound:
    return bind(parse(Source("net.prototxt", text)), "NetParameter", dialect)


SSD = """\
layer { name: "a" type: "Permute" bottom: "x" top: "a" permute_param { order: 0 } }
layer { name: "b" type: "PriorBox" bottom: "a" top: "b" prior_box_param { min_size: 30 } }
"""
PSPNET = """\
layer { name: "c" type: "BN" bottom: "b" top: "c" bn_param { slope_filler { value: 1 } } }
"""
NVIDIA = """\
layer { name: "n" type: "BatchNorm" bottom: "b" top: "n" batch_norm_param { scale_bias: true } }
"""


def test_what_bvlc_reads_needs_no_fork() -> None:
    bound = net('layer { name: "p" type: "Pooling" pooling_param { kernel_size: 2 } }')
    assert fork_needs(bound) == ()
    assert BVLC in able(needs(bound))


def test_the_forks_that_have_everything_can_read_the_file() -> None:
    found = fork_needs(net(SSD))
    assert [need.what for need in found][:2] == ['`type: "Permute"`', "`permute_param`"]
    readers = able(needs(net(SSD)))
    assert {"ssd", "nvidia", "intel"} <= readers
    assert not {BVLC, "pspnet", "segnet"} & readers


def test_old_forks_cannot_read_what_bvlc_added_later() -> None:
    bound = net('layer { name: "b" type: "BatchNorm" bottom: "a" top: "b" batch_norm_param { eps: 1e-3 } }')
    assert "segnet" not in able(needs(bound))
    assert {BVLC, "ssd"} <= able(needs(bound))


def test_several_values_of_a_field_need_a_fork_that_repeats_it() -> None:
    bound = net('layer { name: "p" type: "Pooling" pooling_param { kernel_size: [3, 2, 2] } }')
    assert {"intel", "video"} <= able(needs(bound))
    assert not {BVLC, "ssd"} & able(needs(bound))


def test_two_needs_that_no_fork_has_together() -> None:
    found = needs(net(NVIDIA + PSPNET))
    assert able(found) == frozenset()
    pair = at_odds(found)
    assert pair is not None
    assert {need.what for need in pair} == {"`scale_bias`", '`type: "BN"`'}


def test_a_pinned_caffe_needs_no_note() -> None:
    assert fork_needs(net(SSD, Dialect.named("ssd"))) == ()


OTHER_NAMES = {
    "rbgirshick/fast-rcnn": {"fast-rcnn"},
    "chuanqi305/MobileNetv2-SSDLite": {"ssd", "ssd-chuanqi"},
    "jay-mahadeokar/pynetbuilder": {"ssd", "spark"},
    "torrvision/crfasrnn": {"crf-rnn"},
    "ctensmeyer/binarization_2017": {"ctensmeyer"},
    "yihui-he/channel-pruning": {"channel-pruning"},
}


@pytest.mark.slow
def test_real_files_are_read_by_the_fork_that_they_come_from(shared: Path) -> None:
    decided = agreed = 0
    with (shared / "corpus" / "index.tsv").open(encoding="utf-8") as index:
        rows = list(csv.DictReader(index, delimiter="\t"))
    for row in rows:
        data = (shared / "corpus" / row["path"]).read_bytes()
        kind = "SolverParameter" if row["class"] == "solver" else "NetParameter"
        bound = bind(parse(Source.decode(row["path"], data)), kind)
        own = {name for name, repository in REPOSITORIES.items() if repository == row["repo"]}
        own |= OTHER_NAMES.get(row["repo"], set())
        if row["own_proto_ok"] == "yes" or row["fork_proto_ok"]:
            assert bound.problems == (), row["path"]
        if own and fork_needs(bound):
            decided += 1
            agreed += bool(own & able(needs(bound)))
    assert decided > 400
    assert agreed >= 0.95 * decided
