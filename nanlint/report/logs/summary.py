"""A log for people: how the run went in a few lines, then what was wrong with it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from re import Match
from textwrap import wrap

from nanlint.logs.finding import LogFinding
from nanlint.logs.model import Log, Outcome, Run
from nanlint.logs.series import Outputs
from nanlint.report.style import Paint

_ENDS = {
    Outcome.FINISHED: "finished",
    Outcome.INTERRUPTED: "stopped early, at a signal",
    Outcome.ABORTED: "aborted",
    Outcome.CRASHED: "crashed",
    Outcome.CUT: "the log ends before the run does",
}
_MOST_OUTPUTS = 8


def findings(log: Log, found: Sequence[LogFinding], width: int, paint: Paint) -> Iterator[str]:
    """What was wrong with the run, or that nothing was."""
    for finding in found:
        yield from one(log.path, finding, width, paint)
    if not found:
        yield "nothing wrong is to be seen in it"


def overview(log: Log, paint: Paint) -> Iterator[str]:
    """How the last run went; how many there are."""
    if not log.runs:
        return
    run, number = log.runs[-1], len(log.runs)
    losses = list(log.losses.rows(run.losses_from))
    which = f"run {number} of {number}, " if number > 1 else ""
    span = f"iterations {losses[0][0]} to {losses[-1][0]}" if losses else "no loss line"
    of = f" of {run.max_iter}" if losses and run.max_iter is not None else ""
    yield paint("title", f"{log.path}: ") + f"{which}{span}{of}; {_ENDS[run.outcome]}"
    if losses:
        pace = _pace(run)
        yield "  loss  " + _course(losses) + (f"  ({pace} an iteration)" if pace else "")
    rates = list(log.rates.rows(run.rates_from))
    if rates:
        yield "  rate  " + (f"{rates[0][1]:g}" if len({rate for _, rate in rates}) == 1 else _course(rates))
    yield from _last_scores(log.tests, run)


def _pace(run: Run) -> str | None:
    """The time from one iteration to the next, by glog's stamps; a run may go past New Year, without a year."""
    if run.first_stamp is None or run.last_stamp is None or run.first_stamp[1] >= run.last_stamp[1]:
        return None
    try:
        began, ended = (_moment(stamp[0]) for stamp in (run.first_stamp, run.last_stamp))
    except ValueError:
        return None
    if ended < began:
        ended = ended.replace(year=ended.year + 1)
    seconds = (ended - began).total_seconds() / (run.last_stamp[1] - run.first_stamp[1])
    return f"{seconds:.3g} s" if seconds >= 0.001 else None


def _moment(prefix: Match[str]) -> datetime:
    """When a line was written. Raises ValueError for a date that there is none of."""
    date = prefix[2] if len(prefix[2]) == 8 else "2000" + prefix[2]
    return datetime.strptime(f"{date} {prefix[3][:15]}", "%Y%m%d %H:%M:%S.%f")


def _course(rows: Sequence[tuple[int, float]]) -> str:
    """`2.3 at 0, least 0.1 at 900, 0.2 at 1000`."""
    finite = [row for row in rows if math.isfinite(row[1])]
    parts = [rows[0]]
    if finite:
        least = min(finite, key=lambda row: row[1])
        parts += [least] if least not in (rows[0], rows[-1]) else []
    words = [f"{value:g} at {iteration}" for iteration, value in (*parts, rows[-1])]
    if len(parts) == 2:
        words[1] = "least " + words[1]
    return ", ".join(dict.fromkeys(words))


def _last_scores(tests: Outputs, run: Run) -> Iterator[str]:
    """The outputs of the last test, by test net."""
    if len(tests) <= run.tests_from:
        return
    last = tests.iterations[-1]
    position = len(tests)
    while position > run.tests_from and tests.iterations[position - 1] == last:
        position -= 1
    shown = [
        f"{tests.name(at) or f'#{tests.indices[at]}'} {tests.values[at]:g}"
        for at in range(position, min(len(tests), position + _MOST_OUTPUTS))
    ]
    more = len(tests) - position - len(shown)
    yield f"  test  {', '.join(shown)}{f' and {more} more' if more else ''} at {last}"


def one(path: str, finding: LogFinding, width: int, paint: Paint) -> Iterator[str]:
    """One finding: where in the log, its cause, what happened and what to do."""
    role = finding.severity.value
    where = f"{path}:{finding.line}: " if finding.line else f"{path}: "
    of = f" (layer `{finding.layer}`)" if finding.layer else ""
    yield f"{paint('title', where)}{paint(role, role)} {finding.cause}{of}"
    for line in wrap(finding.message, width - 2, break_long_words=False, break_on_hyphens=False):
        yield "  " + paint("title", line)
    if finding.rule:
        lead = f"  {paint('frame', '=')} {paint('remedy', finding.rule)}: "
        told = wrap(finding.told or "", max(width - 12, 40), break_long_words=False, break_on_hyphens=False)
        for index, line in enumerate(told or ["as above"]):
            yield (lead if index == 0 else " " * 12) + line
    yield ""
