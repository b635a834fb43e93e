"""A log as JSON and CSV."""

from __future__ import annotations

import json

from nanlint.findings import Severity
from nanlint.logs.finding import LogFinding
from nanlint.report.logs import document, rows
from tests.logs.samples import DONE, begun, glog, read, shown


def test_one_object_with_every_key() -> None:
    tested = [glog("Iteration 0, Testing net (#0)"), glog("    Test net output #0: acc = 0.5")]
    log = read(*begun(), *tested, *shown(0, 1.5), *DONE)
    finding = LogFinding("stuck", Severity.WARNING, "flat", "ip", 0, 3, "FIL001", "a constant")
    found = json.loads("\n".join(document.parts(log, [finding])))
    of_the_log = "version file encoding prefix lead runs iterations losses lr outputs tests"
    assert " ".join(found) == of_the_log + " outcome failure first_bad findings"
    assert found["losses"] == [[0, 1.5]]
    assert found["outputs"] == [[0, 0, "loss", 1.5]]
    assert found["tests"] == [[0, 0, 0, "acc", 0.5]]
    assert (found["outcome"], found["failure"], found["first_bad"]) == ("finished", None, None)
    assert found["findings"][0]["severity"] == "warning"


def test_what_is_not_finite_is_a_string() -> None:
    found = json.loads("\n".join(document.parts(read(*shown(0, "-nan"), *shown(1, "inf")), [])))
    assert found["losses"] == [[0, "nan"], [1, "inf"]]
    assert found["first_bad"]["pass"] == "loss"
    assert found["first_bad"]["value"] == "nan"


def test_many_rows() -> None:
    log = read(*(line for n in range(10_000) for line in shown(n, 0.5)))
    assert len(json.loads("\n".join(document.parts(log, [])))["losses"]) == 10_000


def test_csv_has_a_row_a_number() -> None:
    log = read(*shown(0, 1.5), glog('    Train net output #1: a,"b = 2'))
    assert list(rows.rows(log)) == [
        "kind,iteration,net,index,name,value",
        "loss,0,,,,1.5",
        "lr,0,,,,0.01",
        "train,0,,0,loss,1.5",
        'train,0,,1,"a,""b",2.0',
    ]
