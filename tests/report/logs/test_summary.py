"""A run in a few lines."""

from __future__ import annotations

from nanlint.logs.model import Log
from nanlint.report.logs.summary import overview
from tests.logs.samples import DONE, begun, glog, read, shown


def said(log: Log) -> list[str]:
    return list(overview(log, lambda _, text: text))


def test_how_it_went() -> None:
    tested = [glog("Iteration 10, Testing net (#0)"), glog("    Test net output #0: acc = 0.5")]
    assert said(read(*begun(), *shown(0, 1.5), *shown(5, 0.25), *tested, *shown(10, 0.5), *DONE)) == [
        "train.log: iterations 0 to 10 of 40; finished",
        "  loss  1.5 at 0, least 0.25 at 5, 0.5 at 10",
        "  rate  0.01",
        "  test  acc 0.5 at 10",
    ]


def test_the_last_of_several_runs() -> None:
    first = [*begun(), *shown(0, 9.0)]
    assert said(read(*first, *begun(), *shown(0, 1.5)))[0] == (
        "train.log: run 2 of 2, iterations 0 to 0 of 40; the log ends before the run does"
    )


def test_the_pace_across_new_year() -> None:
    lines = [
        "I1231 23:59:50.500000     7 solver.cpp:239] Iteration 0, loss = 1",
        "I0101 00:00:10.500000     7 solver.cpp:239] Iteration 10, loss = 1",
    ]
    assert "(2 s an iteration)" in said(read(*lines))[1]


def test_a_date_that_there_is_none_of() -> None:
    lines = [f"I9999 99:59:50.500000     7 solver.cpp:239] Iteration {at}, loss = 1" for at in (0, 10)]
    assert "an iteration" not in said(read(*lines))[1]
