"""Which layers a state keeps (net.cpp, StateMeetsRule)."""

from __future__ import annotations

import pytest
from google.protobuf import text_format

from nanlint.caffe.state import keeps, state_in
from nanlint.schema.descriptors import message_class, new_layer


@pytest.mark.parametrize(
    ("rules", "kept"),
    [
        ("", True),
        ("include { }", True),
        ("exclude { }", False),
        ("include { phase: TRAIN }", True),
        ("include { phase: TEST }", False),
        ("include { phase: TEST } include { stage: 'a' }", True),
        ("exclude { phase: TEST }", True),
        ("exclude { phase: TEST } exclude { level: 1 }".replace("level", "min_level"), False),
        ("include { min_level: 2 }", True),
        ("include { min_level: 3 }", False),
        ("include { max_level: 2 }", True),
        ("include { max_level: 1 }", False),
        ("include { stage: 'a' stage: 'b' }", True),
        ("include { stage: 'a' stage: 'c' }", False),
        ("include { not_stage: 'c' }", True),
        ("include { not_stage: 'a' not_stage: 'c' }", False),
    ],
)
def test_rules(rules: str, kept: bool) -> None:
    written = text_format.Parse("level: 2 stage: 'a' stage: 'b' phase: TEST", message_class("NetState")())
    layer = text_format.Parse(rules, new_layer())
    assert keeps(state_in("TRAIN", written), layer) is kept  # type: ignore[arg-type]
