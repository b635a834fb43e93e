"""A report with everything in it."""

from __future__ import annotations

import pytest

from nanlint.findings import Edit, Effect, Finding, Fix, Related, Report, Severity
from nanlint.text.source import Place, Source, Span

TEXT = """layer {
  name: "pool1"
  type: "Pooling"
  bottom: "conv1"
  top: "pool1"
  pooling_param {
    pool: AVE
    stride: 5
  }
}
"""


def place(words: str, source: Source | None = None, route: str = "") -> Place:
    source = source or Source("net.prototxt", TEXT)
    start = source.text.index(words)
    return Place(source, Span(start, start + len(words)), route)


@pytest.fixture
def report() -> Report:
    source = Source("net.prototxt", TEXT)
    stride = place("stride: 5", source, "layer[0].pooling_param.stride")
    pooling = Finding(
        "POOL001",
        "empty-pooling-window",
        Severity.ERROR,
        Effect.NON_FINITE,
        "`stride: 5` leaves the last window of `pool1` empty, and AVE divides 0 by 0: NaN",
        stride,
        evidence="row 2 of 3: the window is rows 10 to 10 of 10",
        related=(Related("`conv1` has 10 rows", place('"conv1"', source)),),
        fix=Fix("write `stride: 3`", (Edit(stride, "stride: 3"),)),
        layer="pool1",
        phase="TRAIN",
    )
    solver = Source("solver.prototxt", 'lr_policy: "poly"\n')
    schedule = Finding(
        "LR001",
        "poly-without-max-iter",
        Severity.WARNING,
        Effect.NO_LEARNING,
        '`lr_policy: "poly"` without `max_iter`: nothing is trained',
        place('lr_policy: "poly"', solver, "lr_policy"),
    )
    return Report((pooling, schedule), ("net.prototxt", "solver.prototxt"))
