"""When a filler fails (filler.hpp, math_functions.cpp)."""

from __future__ import annotations

import pytest
from google.protobuf import text_format

from nanlint.caffe.fillers import filler_failure
from nanlint.caffe.model import Shape
from nanlint.schema.descriptors import message_class


def failure(text: str, shape: Shape) -> str | None:
    """The field at fault, or the kind where it is the blob."""
    found = filler_failure(text_format.Parse(text, message_class("FillerParameter")()), shape)  # type: ignore[arg-type]
    return None if found is None else found.field or found.kind


@pytest.mark.parametrize(
    ("text", "shape", "field"),
    [
        ("", (3,), None),
        ("value: nan", (3,), None),
        ("sparse: 0", (3,), "sparse"),
        ("type: 'Constant'", (3,), "type"),
        ("type: ''", (3,), "type"),
        ("type: 'uniform' min: 1 max: 1", (3,), None),
        ("type: 'uniform' min: 2", (3,), "min"),
        ("type: 'uniform' max: nan", (3,), "max"),
        ("type: 'uniform' min: -inf", (3,), "min"),
        ("type: 'uniform' max: inf", (3,), None),
        ("type: 'gaussian' std: 0", (3,), "std"),
        ("type: 'gaussian' std: nan", (3,), "std"),
        ("type: 'gaussian' std: 1e-46", (3,), "std"),
        ("type: 'gaussian' mean: nan", (3,), None),
        ("type: 'gaussian' sparse: 3", (3, 9), None),
        ("type: 'gaussian' sparse: 4", (3, 9), "sparse"),
        ("type: 'gaussian' sparse: -2", (3, 9), "sparse"),
        ("type: 'gaussian' sparse: 0", (), "sparse"),
        ("type: 'gaussian' sparse: 4", (None, 9), None),
        ("type: 'xavier'", (3, 9), None),
        ("type: 'xavier'", (), "type"),
        ("type: 'xavier'", None, None),
        ("type: 'msra' sparse: 1", (3,), "sparse"),
        ("type: 'positive_unitball'", (), "type"),
        ("type: 'bilinear'", (2, 1, 4, 4), None),
        ("type: 'bilinear'", (2, 1, 4, 3), "type"),
        ("type: 'bilinear'", (2, 1, None, 3), None),
        ("type: 'bilinear'", (2, 8), "type"),
        ("type: 'gaussian'", (3, 0), "empty-blob"),
        ("", (0, None), "empty-blob"),
    ],
)
def test_fillers(text: str, shape: Shape, field: str | None) -> None:
    assert failure(text, shape) == field


def test_an_unknown_name_gets_a_suggestion() -> None:
    filler = message_class("FillerParameter")(type="guassian")
    found = filler_failure(filler, (3,))  # type: ignore[arg-type]
    assert found is not None
    assert "gaussian" in found.remedy
