from __future__ import annotations

from nanlint.findings import Effect, Finding, Related, Report, Severity
from nanlint.report import text
from nanlint.report.style import painter
from nanlint.text.source import Place, Source, Span
from tests.report.conftest import place

PLAIN = painter(False)


def shown(report: Report, width: int = 100) -> str:
    return "\n".join(text.lines(report, width, PLAIN))


def finding(where: Place, *related: Related) -> Report:
    one = Finding("XX001", "some-rule", Severity.WARNING, Effect.NONE, "something is odd", where, related=related)
    return Report((one,), (where.source.path,))


def test_a_report(report: Report) -> None:
    assert (
        shown(report)
        == """\
net.prototxt:8:5: error[POOL001] empty-pooling-window (layer `pool1`, TRAIN)
  `stride: 5` leaves the last window of `pool1` empty, and AVE divides 0 by 0: NaN
    |
  4 |   bottom: "conv1"
    |           ------- `conv1` has 10 rows
...
  8 |     stride: 5
    |     ^^^^^^^^^
    = evidence: row 2 of 3: the window is rows 10 to 10 of 10
    = fix: write `stride: 3` (`--fix` does it)

solver.prototxt:1:1: warning[LR001] poly-without-max-iter
  `lr_policy: "poly"` without `max_iter`: nothing is trained
    |
  1 | lr_policy: "poly"
    | ^^^^^^^^^^^^^^^^^

1 error, 1 warning in 2 files; `--fix` mends 1"""
    )


def test_nothing_found() -> None:
    assert shown(Report((), ("net.prototxt",))) == "nothing found in 1 file"


def test_long_messages_wrap_between_words(report: Report) -> None:
    lines = shown(report, width=60).splitlines()
    assert max(len(line) for line in lines if not line.endswith("TRAIN)")) <= 60


def test_another_file_stands_under_its_own_path() -> None:
    other = place("max_iter", Source("solver.prototxt", "max_iter: 3\n"))
    lines = shown(finding(place("stride: 5"), Related("runs 3 iterations", other)))
    assert lines.index("stride: 5") < lines.index("--> solver.prototxt") < lines.index("-------- runs 3 iterations")


def test_a_line_between_two_marked_ones_is_shown() -> None:
    lines = shown(finding(place("stride: 5"), Related("here", place("pooling_param"))))
    assert "    pool: AVE" in lines
    assert "..." not in lines


def test_two_marks_in_one_line() -> None:
    source = Source("a", "kernel_h: 3 kernel_w: 0\n")
    lines = shown(finding(place("kernel_w: 0", source), Related("given here", place("kernel_h: 3", source))))
    assert lines.count("kernel_h: 3 kernel_w: 0") == 1
    assert "|             ^^^^^^^^^^^" in lines
    assert "| ----------- given here" in lines


def test_tabs_and_wide_characters_keep_the_underline_below_its_words() -> None:
    source = Source("a", '\tname: "層" stride: 5\n')
    first, second = shown(finding(place("stride: 5", source))).splitlines()[3:5]
    # the wide character takes two columns and is one character of the line
    assert second.index("^") == first.index("stride") + 1


def test_control_characters_and_bytes_that_are_not_text_cannot_reach_the_terminal() -> None:
    source = Source.decode("a", b'name: "\x1b[31m\xff"\n')
    lines = shown(finding(place("name", source)))
    assert "\x1b" not in lines
    assert "\udcff" not in lines


def test_a_long_line_is_cut_around_its_span() -> None:
    source = Source("a", "x" * 500 + " stride: 5 " + "y" * 500 + "\n")
    lines = shown(finding(place("stride: 5", source)))
    assert max(map(len, lines.splitlines())) <= 100
    first, second = lines.splitlines()[3:5]
    assert first.index("stride: 5") == second.index("^")
    assert second.count("^") == len("stride: 5")


def test_of_a_span_over_several_lines_the_first_is_shown() -> None:
    lines = shown(finding(place("pooling_param {\n    pool: AVE")))
    assert "  6 |   pooling_param {\n    |   ^^^^^^^^^^^^^^^\n" in lines


def test_an_empty_file() -> None:
    assert "  1 |\n    | ^" in shown(finding(Place(Source("a", ""), Span(0, 0))))


def test_colour_changes_nothing_but_colour(report: Report) -> None:
    import re

    coloured = "\n".join(text.lines(report, 100, painter(True)))
    assert coloured != shown(report)
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == shown(report)


def explained(report: Report) -> Report:
    """The report with its first finding explained by its second."""
    pooling, schedule = report.findings
    pooling = pooling._replace(explained_by=(schedule.reference,))
    return report._replace(findings=(pooling, schedule._replace(explains=(pooling.reference,))))


def test_what_a_finding_explains_is_a_note_of_it(report: Report) -> None:
    shown_lines = shown(explained(report)).splitlines()
    assert shown_lines[0] == "solver.prototxt:1:1: warning[LR001] poly-without-max-iter"
    assert "    = hence: error[POOL001] at net.prototxt:8: `stride: 5` leaves the last window of `pool1` empty," in (
        shown_lines
    )
    assert shown_lines[-1].startswith("1 error, 1 warning in 2 files")


def test_the_most_severe_cause_comes_first(report: Report) -> None:
    pooling, schedule = report.findings
    mild = pooling._replace(severity=Severity.INFO)
    shown_lines = shown(report._replace(findings=(mild, schedule))).splitlines()
    assert shown_lines[0].startswith("solver.prototxt:1:1: warning")


def test_advice_closes_the_summary(report: Report) -> None:
    pooling, schedule = report.findings
    advice = schedule._replace(name="debug-info-advised", message="look at the log")
    assert shown(report._replace(findings=(pooling, advice))).splitlines()[-1] == "look at the log"
