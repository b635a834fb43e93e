"""Which rules a run uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from functools import cache

from nanlint.config import OFF, Settings, UsageError, suggestion
from nanlint.findings import Finding, Severity
from nanlint.rules.registry import Rule, family, rules, use_plugins

_FORMER = {
    "SOL018": "DAT907",
    "unreadable-weights": "DAT907",
    "SOL019": "DAT902",
    "weights-do-not-fit": "DAT902",
    "SOL020": "DAT901",
    "non-finite-weights": "DAT901",
    "SOL021": "DAT903",
    "weights-load-nothing": "DAT903",
}
"""Codes and names that rules had, which configurations still hold."""


def selected(settings: Settings) -> tuple[Rule, ...]:
    """The rules that are selected and not ignored.

    Raises UsageError for a code or name that no rule has, and for a plugin that there is none of.
    """
    if settings.plugins:
        try:
            use_plugins(settings.plugins)
        except LookupError as wrong:
            raise UsageError(f"plugins: {wrong.args[0]}") from wrong
        resolve.cache_clear()
    for words in (settings.select, settings.ignore, settings.severity, *settings.per_file_ignores.values()):
        for word in words:
            resolve(word)
    chosen = {code for word in settings.select for code in resolve(word)} or {known.code for known in rules()}
    chosen -= {code for word in settings.ignore for code in resolve(word)}
    chosen -= {code for word, said in settings.severity.items() if said == OFF for code in resolve(word)}
    return tuple(known for known in rules() if known.code in chosen)


@cache
def resolve(word: str) -> frozenset[str]:
    """The codes that a word stands for: a code or the letters that codes begin with, in either case, or a rule's name.

    Raises UsageError where it stands for none.
    """
    word = _FORMER.get(word, word)
    codes = frozenset(
        known.code
        for known in rules()
        if known.name == word or word.upper() in (known.code, family(known.code) if word.isalpha() else known.code)
    )
    if not codes:
        raise UsageError(f"no rule `{word}`{suggestion(word, names())}")
    return codes


def one(word: str) -> Rule:
    """The rule of a code, in either case, or of a name. Raises UsageError where there is none."""
    wanted = _FORMER.get(word.upper(), _FORMER.get(word, word))
    for known in rules():
        if wanted.upper() == known.code or wanted == known.name:
            return known
    raise UsageError(f"no rule `{word}`{suggestion(word, names())}")


def names() -> Iterable[str]:
    """Every code, and every rule's name."""
    for known in rules():
        yield known.code
        yield known.name


def with_severities(findings: Iterable[Finding], said: Mapping[str, str]) -> list[Finding]:
    """The findings with the severities that the project gives their rules: the longest word that names one wins."""
    by_code: dict[str, Severity] = {}
    for word in sorted(said, key=len):
        if said[word] != OFF:
            by_code |= dict.fromkeys(resolve(word), Severity(said[word]))
    return [one._replace(severity=by_code.get(one.code, one.severity)) for one in findings]


def ignored_in_file(finding: Finding, per_file: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether the file's path matches a pattern under which the finding's rule is ignored."""
    path = finding.place.source.path
    return any(
        finding.code in resolve(word)
        for pattern, words in per_file.items()
        if fnmatch(path, pattern) or fnmatch(path.rsplit("/", 1)[-1], pattern)
        for word in words
    )
