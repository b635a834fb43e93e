"""The formats of one line a finding."""

from __future__ import annotations

from nanlint.findings import Effect, Finding, Report, Severity
from nanlint.report import concise, github
from nanlint.text.source import Source
from tests.report.conftest import place


def test_concise(report: Report) -> None:
    first, second = concise.lines(report)
    assert first.startswith("net.prototxt:8:5: error[POOL001] empty-pooling-window: `stride: 5` leaves the last ")
    assert first.endswith(" [*]")
    assert not second.endswith(" [*]")
    assert second.startswith("solver.prototxt:1:1: warning[LR001] poly-without-max-iter: `lr_policy: ")


def test_github(report: Report) -> None:
    (first, _), (second, _) = (line.removeprefix("::").split("::", 1) for line in github.lines(report))
    assert first == ("error file=net.prototxt,line=8,endLine=8,title=POOL001 empty-pooling-window,col=5,endColumn=14")
    assert second == (
        "warning file=solver.prototxt,line=1,endLine=1,title=LR001 poly-without-max-iter,col=1,endColumn=18"
    )


def test_github_escapes_what_would_end_a_property() -> None:
    where = place("net", Source("a,b:c%.prototxt", "net: 1"))
    one = Finding("XX001", "some-rule", Severity.INFO, Effect.NONE, "50 %\nand more", where)
    (line,) = github.lines(Report((one,)))
    assert line.startswith("::notice file=a%2Cb%3Ac%25.prototxt,line=1,")
    assert line.endswith("::50 %25%0Aand more")
