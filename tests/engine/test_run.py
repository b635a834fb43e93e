from __future__ import annotations

from collections.abc import Iterator

import pytest

from nanlint import engine
from nanlint.config import Settings
from nanlint.engine import select
from nanlint.engine.merge import in_order, merged
from nanlint.engine.run import Run
from nanlint.findings import Effect, Finding, Problem, Severity
from nanlint.rules.registry import Rule
from nanlint.schema.bind import Bound, bind
from nanlint.text.parser import parse
from nanlint.text.source import Place, Source, Span


def rule(code: str, check: object, severity: Severity = Severity.ERROR) -> Rule:
    return Rule(code, code.lower(), severity, Effect.NONE, "Bound", check)  # type: ignore[arg-type]


def bound(text: str = "base_lr: 1") -> Bound:
    return bind(parse(Source("solver.prototxt", text)), "SolverParameter")


def said(words: str) -> object:
    def check(bound: Bound) -> Iterator[Problem]:
        yield Problem(Place(bound.source, Span(0, 7)), words)

    return check


def broken(bound: Bound) -> Iterator[Problem]:
    yield Problem(Place(bound.source, Span(0, 7)), "before it breaks")
    raise ZeroDivisionError("division by zero")


def test_a_rule_that_breaks_hides_no_other_and_is_named_with_its_file() -> None:
    run = Run([rule("AA001", said("one")), rule("BB001", broken), rule("CC001", said("two"))])
    run.bound(bound())
    assert [finding.message for finding in run.findings] == ["one", "before it breaks", "two"]
    (failure,) = run.failures
    assert failure.startswith(
        "internal error: rule BB001 bb001 broke on `solver.prototxt`: ZeroDivisionError: division by zero (test_run.py:"
    )


def test_a_file_is_checked_as_text_once() -> None:
    run = Run([rule("AA001", said("one"))])
    run.bound(bound())
    run.bound(bound())
    assert len(run.findings) == 1


def test_of_a_file_that_is_no_prototxt_nothing_else_is_said(tmp_path: object) -> None:
    report = engine.check(["-"], stdin=b"<!DOCTYPE html>\n<html>\n</html>\n", stdin_name="net.prototxt")
    assert [finding.name for finding in report.findings] == ["not-a-prototxt"]


SOURCE = Source("net.prototxt", "stride: 5\npad: 3\n")


def finding(message: str, phase: str | None, severity: Severity = Severity.ERROR, start: int = 0) -> Finding:
    return Finding("AA001", "aa", severity, Effect.NONE, message, Place(SOURCE, Span(start, start + 1)), phase=phase)


def test_a_claim_of_both_phases_is_one_claim_of_none() -> None:
    (one,) = merged([finding("said", "TRAIN"), finding("said", "TEST")])
    assert one.phase is None


def test_the_surest_of_equal_claims_stays() -> None:
    (one,) = merged([finding("said", "TRAIN", Severity.WARNING), finding("said", "TRAIN")])
    assert (one.severity, one.phase) == (Severity.ERROR, "TRAIN")


def test_batch_sizes_do_not_make_two_claims_of_one() -> None:
    (one,) = merged([finding("64 x 10 and 64 x 3", "TRAIN"), finding("100 x 10 and 100 x 3", "TEST")])
    assert (one.message, one.phase) == ("64 x 10 and 64 x 3", None)


def test_numbers_tell_claims_of_one_phase_apart() -> None:
    assert len(merged([finding("bottom 0", "TRAIN"), finding("bottom 1", "TRAIN")])) == 2


def test_findings_come_in_the_order_of_their_places() -> None:
    assert [one.message for one in in_order([finding("later", None, start=5), finding("first", None)])] == [
        "first",
        "later",
    ]


@pytest.mark.parametrize(
    ("words", "codes"),
    [("LR001", {"LR001"}), ("poly-without-max-iter", {"LR001"}), ("POOL", {"POOL001", "POOL002", "POOL003"})],
)
def test_rules_go_by_code_by_name_and_by_letters(words: str, codes: set[str]) -> None:
    assert select.resolve(words) == codes


def test_ignored_rules_are_not_run() -> None:
    chosen = {known.code for known in select.selected(Settings(select=("POOL",), ignore=("POOL002",)))}
    assert chosen == {"POOL001", "POOL003"}
