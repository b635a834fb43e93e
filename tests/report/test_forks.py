"""Which Caffe can read a file, for people and for programs."""

from __future__ import annotations

import json

from nanlint.caffe.forks import Need, needs
from nanlint.report import forks
from nanlint.schema.bind import bind
from nanlint.text.parser import parse
from nanlint.text.source import Source

NET = """\
name: "n"
layer {
  name: "bn" type: "BatchNorm" bottom: "a" top: "b"
  batch_norm_param { scale_bias: true }
}
"""


def found(text: str = NET) -> list[tuple[str, tuple[Need, ...]]]:
    return [("net.prototxt", needs(bind(parse(Source("net.prototxt", text)), "NetParameter")))]


def test_says_who_reads_the_file_and_what_the_others_lack() -> None:
    first, *others = forks.lines(found())
    assert first == "net.prototxt: read by nvidia"
    assert any(line.startswith("  `scale_bias` (line 4): not in bvlc, ssd, intel") for line in others)
    assert any("`batch_norm_param` (line 4)" in line and "segnet" in line for line in others)


def test_names_every_caffe_once() -> None:
    first, *others = forks.lines(found())
    named = first.partition("read by ")[2].split(", ")
    named += [name for line in others for name in line.rpartition(": not in ")[2].split(", ")]
    assert len(named) == len(set(named))


def test_json_lists_what_is_lacking_with_its_place() -> None:
    (file,) = json.loads(forks.dumps(found()))["files"]
    assert file["readers"] == ["nvidia"]
    (bvlc,) = (other for other in file["others"] if other["fork"] == "bvlc")
    assert bvlc["lacks"] == [{"what": "scale_bias", "path": "net.prototxt", "line": 4, "column": 22}]


def test_what_everybody_reads_has_no_others() -> None:
    (file,) = json.loads(forks.dumps(found('name: "n"')))["files"]
    assert file["others"] == []
    assert "bvlc" in file["readers"]
