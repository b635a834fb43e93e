"""Findings as JUnit XML: a suite a file, a failed test a finding; a file without findings passes one test.

Nothing that a job of a continuous integration takes for a command (`##vso[`, `::error`) is left in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from nanlint.findings import Finding, Report, Severity

_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def dumps(report: Report) -> str:
    suites = Element("testsuites", name="nanlint")
    for path in report.files:
        _suite(suites, path, [one for one in report.findings if one.place.source.path == path])
    if report.failures:
        suite = SubElement(suites, "testsuite", name="nanlint", tests=str(len(report.failures)), failures="0")
        suite.set("errors", str(len(report.failures)))
        for failure in report.failures:
            case = SubElement(suite, "testcase", name="run", classname="nanlint")
            SubElement(case, "error", message=_plain(failure))
    indent(suites)
    text = tostring(suites, encoding="unicode").replace("##", "#&#35;").replace("::", ":&#58;")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + text


def _suite(suites: Element, path: str, findings: Sequence[Finding]) -> None:
    failed = sum(finding.severity is not Severity.INFO for finding in findings)
    name = _plain(path)
    suite = SubElement(suites, "testsuite", name=name, tests=str(len(findings) or 1), failures=str(failed), errors="0")
    if not findings:
        SubElement(suite, "testcase", name="nanlint", classname=name, file=name)
    for finding in findings:
        line = finding.place.start.line
        case = SubElement(suite, "testcase", name=f"{finding.code} {finding.name}", classname=name, file=name)
        case.set("line", str(line))
        words = f"{path}:{line}:{finding.place.start.column}: {finding.message}\n{finding.evidence or ''}".strip()
        if finding.severity is Severity.INFO:
            SubElement(case, "system-out").text = _plain(words)
        else:
            failure = SubElement(case, "failure", type=finding.severity.value, message=_plain(finding.message))
            failure.text = _plain(words)


def _plain(text: str) -> str:
    """Without the characters that XML has no way to write."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
