"""Comments that hide findings, written beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from nanlint.findings import Edit, Finding, Fix
from nanlint.text.source import Place, Source, Span
from nanlint.text.tree import Document

_CODES = re.compile(r"#+\s*nanlint\s*:\s*ignore\s*\[([^\]]*)\]", re.IGNORECASE)


def with_comments(findings: Iterable[Finding], documents: Iterable[Document], reason: str) -> Iterator[Finding]:
    """The first finding of each line, with a fix that writes a comment for all findings of the line.

    A comment that hides others there takes the codes in; one that says something else goes on behind it.
    """
    by_path = {document.source.path: document for document in documents}
    lines: dict[tuple[Source, int], list[Finding]] = {}
    for finding in findings:
        lines.setdefault((finding.place.source, finding.place.start.line), []).append(finding)
    for (source, _), group in lines.items():
        document = by_path.get(source.path)
        if document is not None:
            codes = list(dict.fromkeys(finding.code for finding in group))
            yield group[0]._replace(fix=Fix("hide it", (_comment(document, group[0].place, codes, reason),)))


def _comment(document: Document, place: Place, codes: list[str], reason: str) -> Edit:
    text = document.source.text
    start = place.span.start
    end = text.find("\n", start)
    end = len(text) if end < 0 else end
    comment = next((one for one in document.comments if start <= one.span.start < end), None)
    if comment is None:
        at = end - (end > start and text[end - 1] == "\r")
        return _insertion(document, at, f"{_gap(text, at)}# nanlint: ignore[{', '.join(codes)}] {reason}")
    held = _CODES.match(comment.text)
    if held is not None:
        return _insertion(document, comment.span.start + held.end(1), ", " + ", ".join(codes))
    return _insertion(document, comment.span.start, f"# nanlint: ignore[{', '.join(codes)}] {reason} ")


def _gap(text: str, at: int) -> str:
    return "" if at == 0 or text[at - 1] in "\n \t" else "  "


def _insertion(document: Document, at: int, text: str) -> Edit:
    return Edit(Place(document.source, Span(at, at)), text)
