"""What the test scores say beside the training loss."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nanlint.diagnosis import course
from nanlint.diagnosis.evidence import Evidence
from nanlint.findings import Severity
from nanlint.logs.finding import LogFinding

_LEAST_TESTS = 6


def overfitting(at: Evidence) -> Iterator[LogFinding]:
    """A test loss that rises again while the training loss falls."""
    tests = at.log.tests
    end = at.following.tests_from if at.following else len(tests)
    rows: dict[tuple[int, str], list[tuple[int, float]]] = {}
    for row in range(at.run.tests_from, end):
        name = tests.name(row)
        if name in at.run.loss_weights and math.isfinite(tests.values[row]):
            rows.setdefault((tests.nets[row], name), []).append((tests.iterations[row], tests.values[row]))
    values = at.finite
    if len(values) < course.LEAST or course.thirds(values)[1] > 0.7 * course.thirds(values)[0]:
        return
    for (net, name), scores in rows.items():
        best = min(scores, key=lambda score: score[1])
        late = [value for _, value in scores[-3:]]
        if len(scores) >= _LEAST_TESTS and best[0] < scores[-4][0] and min(late) > 1.2 * best[1] > 0:
            yield at.said(
                "overfitting",
                f"the test output `{name}` of net #{net} is best at iteration {best[0]}, with {best[1]:g}, and rises "
                f"to {late[-1]:g} while the training loss falls: the snapshot nearest {best[0]} is the one to keep",
                iteration=best[0],
                severity=Severity.INFO,
            )
            return
