"""Findings as SARIF 2.1.0, for code-scanning services."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Protocol
from urllib.parse import quote

from nanlint import SITE, __version__
from nanlint.findings import Finding, Fix, Hidden, Report, Severity, rule_url
from nanlint.report.gitlab import fingerprint
from nanlint.report.json import encode, reference
from nanlint.text.source import Place

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


class RulePage(Protocol):
    """What SARIF says of a rule."""

    @property
    def code(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def severity(self) -> Severity: ...

    @property
    def summary(self) -> str: ...

    @property
    def page(self) -> str: ...


def dumps(report: Report, rules: Iterable[RulePage]) -> str:
    pages = sorted(rules, key=lambda page: page.code)
    index = {page.code: number for number, page in enumerate(pages)}
    return encode(
        {
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [
                {
                    "tool": {
                        "driver": {
                            "name": "nanlint",
                            "version": __version__,
                            "semanticVersion": __version__,
                            "informationUri": SITE,
                            "rules": [_rule(page) for page in pages],
                        }
                    },
                    "columnKind": "unicodeCodePoints",
                    "results": _results(report, index),
                    "invocations": [_invocation(report.failures)],
                }
            ],
        }
    )


def _rule(page: RulePage) -> dict[str, Any]:
    return {
        "id": page.code,
        "name": page.name,
        "shortDescription": {"text": page.summary},
        "fullDescription": {"text": page.summary},
        "help": {"text": page.page, "markdown": page.page},
        "helpUri": rule_url(page.name),
        "defaultConfiguration": {"level": _LEVELS[page.severity]},
    }


def _results(report: Report, index: dict[str, int]) -> list[dict[str, Any]]:
    """What is reported, then what comments and the baseline hide, as suppressed."""
    seen: Counter[tuple[str, ...]] = Counter()
    shown = [_result(finding, index, seen) for finding in report.findings]
    return shown + [
        {**_result(one.finding, index, seen), "suppressions": [_suppression(one)]} for one in report.hidden
    ]


def _suppression(hidden: Hidden) -> dict[str, Any]:
    kind = {"kind": "inSource" if hidden.by_comment else "external"}
    return kind | ({"justification": hidden.reason} if hidden.reason else {})


def _result(finding: Finding, index: dict[str, int], seen: Counter[tuple[str, ...]]) -> dict[str, Any]:
    text = finding.message if finding.evidence is None else f"{finding.message}\n{finding.evidence}"
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": index[finding.code],
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [_location(finding.place)],
        "partialFingerprints": {"nanlint/v1": fingerprint(finding, seen)},
        "properties": {
            "effect": finding.effect.value,
            "layer": finding.layer,
            "phase": finding.phase,
            "explains": [reference(other) for other in finding.explains],
            "explained_by": [reference(other) for other in finding.explained_by],
        },
    }
    if finding.related:
        result["relatedLocations"] = [
            {"id": number, **_location(other.place), "message": {"text": other.message}}
            for number, other in enumerate(finding.related)
        ]
    if finding.fix:
        result["fixes"] = [_fix(finding.fix)]
    return result


def _fix(fix: Fix) -> dict[str, Any]:
    by_path: dict[str, list[dict[str, Any]]] = {}
    for edit in fix.edits:
        by_path.setdefault(edit.place.source.path, []).append(
            {"deletedRegion": _region(edit.place), "insertedContent": {"text": edit.text}}
        )
    return {
        "description": {"text": fix.title},
        "artifactChanges": [
            {"artifactLocation": {"uri": _uri(path)}, "replacements": edits}
            for path, edits in by_path.items()
        ],
    }


def _location(place: Place) -> dict[str, Any]:
    return {
        "physicalLocation": {"artifactLocation": {"uri": _uri(place.source.path)}, "region": _region(place)},
        "logicalLocations": [{"fullyQualifiedName": place.route}] if place.route else [],
    }


def _region(place: Place) -> dict[str, int]:
    start, end = place.start, place.end
    return {
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    }


def _uri(path: str) -> str:
    return quote(path.replace("\\", "/"), errors="surrogateescape")


def _invocation(failures: Sequence[str]) -> dict[str, Any]:
    notes = [{"level": "error", "message": {"text": failure}} for failure in failures]
    return {"executionSuccessful": not failures, "toolExecutionNotifications": notes}
