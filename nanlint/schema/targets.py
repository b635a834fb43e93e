"""What the programs that use a trained net read of a Caffe net, as far as public sources say.

Each statement of `targets.json` names its source: a file of the reader's own code, an issue, or its documentation.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

TARGETS = ("opencv4", "ncnn", "mnn", "ascend", "nnie", "rknn")


class Said(NamedTuple):
    """Something that a source says: in words of its own where it needs some, and the source."""

    words: str
    source: str


class Target(NamedTuple):
    """One reader. `types`: all layer types that it reads, None where no source lists them. `more_types`: those that it
    reads besides BVLC Caffe's, with those whose source was not read and of which nothing is claimed (`unchecked`); None
    where that is not how its source says it. `refused`: types that it is known not to
    read, with the source. The rest is None where nothing is known."""

    called: str
    unknown: str
    types: frozenset[str] | None
    types_source: str
    more_types: frozenset[str] | None
    refused: dict[str, str]
    old_layers: Said | None
    old_inputs: Said | None
    every_phase: Said | None
    foreign_fields: Said | None
    batch_statistics: Said | None
    largest_map: tuple[int, str] | None


@cache
def target(name: str) -> Target:
    """What is known of one of TARGETS."""
    import json

    known = json.loads((Path(__file__).parent / "targets.json").read_text(encoding="utf-8"))[name]
    listed, as_bvlc = known.get("types"), known.get("as_bvlc")
    largest = known.get("largest_map")
    return Target(
        known["called"],
        known["unknown"],
        frozenset(listed["names"].split()) if listed else None,
        (listed or as_bvlc or {"source": ""})["source"],
        frozenset(f"{as_bvlc['more']} {as_bvlc['unchecked']}".split()) if as_bvlc else None,
        known.get("refused", {}),
        _said(known.get("old_format"), "layers"),
        _said(known.get("old_format"), "inputs"),
        _said(known.get("every_phase")),
        _said(known.get("foreign_fields")),
        _said(known.get("batch_statistics")),
        (largest["size"], largest["source"]) if largest else None,
    )


def _said(entry: dict[str, str] | None, word: str = "") -> Said | None:
    if entry is None or (word and word not in entry):
        return None
    return Said(entry.get(word, ""), entry["source"])
