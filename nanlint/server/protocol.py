"""nanlint's records as the protocol has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from lsprotocol import types as lsp

from nanlint.findings import Edit, Finding, Related, Severity
from nanlint.server.actions import Action
from nanlint.server.completion import Item, What
from nanlint.server.lines import Lines
from nanlint.text.source import Place, Span

LinesOf = Callable[[str, str], Lines]
"""The lines of a text of a file, by path and text."""

_SEVERITIES = {
    Severity.ERROR: lsp.DiagnosticSeverity.Error,
    Severity.WARNING: lsp.DiagnosticSeverity.Warning,
    Severity.INFO: lsp.DiagnosticSeverity.Information,
}
_KINDS = {
    What.FIELD: lsp.CompletionItemKind.Field,
    What.VALUE: lsp.CompletionItemKind.EnumMember,
    What.TYPE: lsp.CompletionItemKind.Class,
    What.BLOB: lsp.CompletionItemKind.Variable,
    What.FILE: lsp.CompletionItemKind.File,
}
_NEEDLESS = ("unread-", "unused-", "ignored-")
"""How the names of rules begin whose finding is about text that does nothing."""


def uri(path: str) -> str:
    return Path(path).as_uri()


def range_of(lines: Lines, span: Span) -> lsp.Range:
    start, end = lines.at(span.start), lines.at(span.end)
    return lsp.Range(lsp.Position(start.line, start.character), lsp.Position(end.line, end.character))


def diagnostic(finding: Finding, lines_of: LinesOf) -> lsp.Diagnostic:
    """A finding where it is, with its evidence, its related places and the way to its page."""
    message = finding.message if finding.evidence is None else f"{finding.message}\n{finding.evidence}"
    return lsp.Diagnostic(
        range=_range(finding.place, lines_of),
        message=message,
        severity=_SEVERITIES[finding.severity],
        code=finding.code,
        source="nanlint",
        tags=[lsp.DiagnosticTag.Unnecessary] if finding.name.startswith(_NEEDLESS) else None,
        related_information=[_related(one, lines_of) for one in finding.related],
        data={"name": finding.name},
    )


def workspace_edit(edits: Iterable[Edit], lines_of: LinesOf) -> lsp.WorkspaceEdit:
    """Edits by file."""
    changes: dict[str, list[lsp.TextEdit]] = {}
    for edit in edits:
        one = lsp.TextEdit(_range(edit.place, lines_of), edit.text)
        changes.setdefault(uri(edit.place.source.path), []).append(one)
    return lsp.WorkspaceEdit(changes=changes)


def code_action(action: Action, lines_of: LinesOf) -> lsp.CodeAction:
    kind = lsp.CodeActionKind.QuickFix if action.finding is not None else lsp.CodeActionKind.SourceFixAll
    own = [diagnostic(action.finding, lines_of)] if action.finding is not None else None
    edit = workspace_edit(action.edits, lines_of)
    return lsp.CodeAction(action.title, kind=kind, diagnostics=own, is_preferred=action.safe, edit=edit)


def completion(item: Item, lines: Lines, caret: int) -> lsp.CompletionItem:
    return lsp.CompletionItem(
        item.label,
        kind=_KINDS[item.what],
        detail=item.detail or None,
        documentation=item.documentation or None,
        sort_text=f"{'1' if item.less else '0'}{item.label}" if item.what is not What.BLOB else None,
        text_edit=lsp.TextEdit(range_of(lines, Span(item.start, caret)), item.text),
    )


def _related(related: Related, lines_of: LinesOf) -> lsp.DiagnosticRelatedInformation:
    location = lsp.Location(uri(related.place.source.path), _range(related.place, lines_of))
    return lsp.DiagnosticRelatedInformation(location, related.message)


def _range(place: Place, lines_of: LinesOf) -> lsp.Range:
    return range_of(lines_of(place.source.path, place.source.text), place.span)
