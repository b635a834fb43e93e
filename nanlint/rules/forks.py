"""Which Caffe a file is written for."""

from __future__ import annotations

from collections.abc import Iterator

from nanlint.caffe.forks import Need, able, at_odds, fork_needs, needs
from nanlint.findings import Effect, Problem, Related
from nanlint.rules.registry import INFO, WARNING, finding, rule
from nanlint.schema.bind import Bound
from nanlint.schema.forks import in_words


@rule("FORK001", "needs-fork", INFO, effect=Effect.NONE)
def needs_fork(bound: Bound) -> Iterator[Problem]:
    """The file uses what only forks of Caffe have: which of them can read it.

    **In Caffe** BVLC 1.0's parser aborts at a field that it does not know (`Message type
    "caffe.LayerParameter" has no field named ...`), and its layer factory at a type. A fork that has
    everything the file uses reads it. `nanlint forks FILE` says of every other one what it lacks.

    **Instead** run the file with one of the forks in the message, and pin it (`--caffe NAME`, or `caffe` in
    the configuration), so that what this one fork lacks is an error.
    """
    found = fork_needs(bound)
    readers = able(needs(bound)) if found else frozenset()
    if readers:
        yield finding(
            found[0].place, f"{_listed(found)}: {in_words(readers)} can read this file, and BVLC Caffe cannot"
        )


@rule("FORK002", "forks-at-odds", WARNING, effect=Effect.PARSE_FAILURE)
def forks_at_odds(bound: Bound) -> Iterator[Problem]:
    """The file uses two things that no known fork of Caffe has together.

    **In Caffe** each fork aborts at the first thing that it lacks: at a field while it parses the file,
    at a layer type while it builds the net. Such files come of parts of two nets that were written for
    different forks. A private fork may have both.

    **Instead** write one of the two in the way of the other's fork, or merge the two forks.
    """
    found = needs(bound) if fork_needs(bound) else ()
    if not found or able(found):
        return
    pair = at_odds(found)
    if pair is None:
        lacking = _listed(tuple(need for need in fork_needs(bound)))
        yield finding(found[0].place, f"no known fork of Caffe has all that this file uses: {lacking}")
        return
    first, second = pair
    yield finding(
        second.place,
        f"{second.what} exists in {in_words(second.readers)}, and {first.what} in {in_words(first.readers)}: "
        "no known fork has both",
        related=(Related(f"{first.what} here", first.place),),
        effect=Effect.PARSE_FAILURE if first.field or second.field else Effect.SETUP_FAILURE,
    )


def _listed(found: tuple[Need, ...], most: int = 3) -> str:
    """What is needed: "`permute_param`, `prior_box_param` and 4 more"."""
    words = [need.what for need in found]
    if len(words) > most + 1:
        return f"{', '.join(words[:most])} and {len(words) - most} more"
    return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)
