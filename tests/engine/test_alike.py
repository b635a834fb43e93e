from __future__ import annotations

from nanlint.engine.alike import alike, repeated
from nanlint.findings import Edit, Effect, Finding, Fix, Severity
from nanlint.text.source import Place, Source, Span

SOURCE = Source("a", "x" * 40)


def at(start: int) -> Place:
    return Place(SOURCE, Span(start, start + 1))


def finding(start: int, message: str, effect: Effect = Effect.SETUP_FAILURE, fix: Fix | None = None) -> Finding:
    return Finding("AA001", "aa", Severity.ERROR, effect, message, at(start), fix=fix)


def test_equal_words_about_a_text_are_one_finding_with_a_count_and_one_fix() -> None:
    def fix(start: int) -> Fix:
        return Fix("write `b`", (Edit(at(start), "b"),))

    found = [finding(start, "no field `a`", Effect.PARSE_FAILURE, fix(start)) for start in (0, 5, 9)]
    (one,) = repeated(found)
    assert one.message == "no field `a` (here and at 2 more places)"
    assert [other.place for other in one.related] == [at(5), at(9)]
    assert one.fix == Fix("write `b`", (Edit(at(0), "b"), Edit(at(5), "b"), Edit(at(9), "b")))


def test_other_words_stay_apart() -> None:
    found = [finding(0, "no field `a`", Effect.PARSE_FAILURE), finding(5, "no field `b`", Effect.PARSE_FAILURE)]
    assert repeated(found) == found


def test_the_first_of_three_alike_explains_the_others() -> None:
    found = [finding(start, f"`conv{start}` wants {start} channels") for start in (1, 2, 3)]
    first, second, third = alike(found)
    assert first.explained_by == ()
    assert second.explained_by == third.explained_by == (first.reference,)
    assert first.explains == (second.reference, third.reference)


def test_two_alike_stand_side_by_side() -> None:
    found = [finding(start, f"`conv{start}` wants {start} channels") for start in (1, 2)]
    assert alike(found) == found
