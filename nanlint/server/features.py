"""What the server does on each request and notification: to the records of the other modules, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcInvalidParams

from nanlint.engine.files import Kind
from nanlint.schema.descriptors import descriptor
from nanlint.server import protocol
from nanlint.server.actions import actions
from nanlint.server.app import Server
from nanlint.server.completion import complete
from nanlint.server.hover import hover
from nanlint.server.names import Kind as NameKind
from nanlint.server.navigation import definition, references, rename
from nanlint.server.outline import folds, hints, symbols
from nanlint.text.layout import BrokenFileError, laid_out
from nanlint.text.source import Span


class Feature(NamedTuple):
    """A method of the protocol, what answers it, and what the client is told of it."""

    method: str
    answer: Callable[[Server, Any], Any]
    options: Any = None


def make_server() -> Server:
    """A server with all its features, not yet running."""
    descriptor("NetParameter")  # the schema is made once, before two threads can ask for it
    server = Server()
    for one in FEATURES:
        _register(server, one)
    return server


def serve() -> None:
    """Serve one client over standard input and output, until it goes away."""
    make_server().start_io()


def _register(server: Server, feature: Feature) -> None:
    @server.feature(feature.method, feature.options)
    def answer(params: Any) -> Any:
        return feature.answer(server, params)


def _opened(server: Server, params: lsp.DidOpenTextDocumentParams) -> None:
    path = server.path(params.text_document.uri)
    server.project.opened(path, params.text_document.text)
    server.changed(path, 0)


def _changed(server: Server, params: lsp.DidChangeTextDocumentParams) -> None:
    path = server.path(params.text_document.uri)
    server.project.opened(path, server.workspace.get_text_document(params.text_document.uri).source)
    server.changed(path)


def _saved(server: Server, params: lsp.DidSaveTextDocumentParams) -> None:
    server.changed(server.path(params.text_document.uri), 0)


def _closed(server: Server, params: lsp.DidCloseTextDocumentParams) -> None:
    path = server.path(params.text_document.uri)
    server.project.closed(path)
    server.publish(path)


def _hovered(server: Server, params: lsp.HoverParams) -> lsp.Hover | None:
    path = server.path(params.text_document.uri)
    offset = server.offset(path, params.position)
    found = hover(server.project, path, offset) if offset is not None else None
    source = server.text(path)
    if found is None or source is None:
        return None
    shown = protocol.range_of(server.lines(path, source.text), Span(found.start, found.end))
    return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, found.text), shown)


def _acted(server: Server, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    path = server.path(params.text_document.uri)
    source = server.text(path)
    if source is None:
        return []
    lines = server.lines(path, source.text)
    span = (lines.offset(at.line, at.character) for at in (params.range.start, params.range.end))
    found = [one for one in server.project.findings(path) if one.place.source.text == source.text]
    asked = params.context.only
    made = [protocol.code_action(one, server.lines) for one in actions(found, source, *span)]
    return [one for one in made if asked is None or any(_within(one, kind) for kind in asked)]


def _defined(server: Server, params: lsp.DefinitionParams) -> list[lsp.Location]:
    path = server.path(params.text_document.uri)
    offset = server.offset(path, params.position)
    targets = definition(server.project, path, offset) if offset is not None else []
    return [_location(server, target.path, target.span) for target in targets]


def _referred(server: Server, params: lsp.ReferenceParams) -> list[lsp.Location]:
    path = server.path(params.text_document.uri)
    offset = server.offset(path, params.position)
    found = references(server.project, path, offset) if offset is not None else []
    wanted = [one for one in found if params.context.include_declaration or not one.makes]
    return [_location(server, path, Span(one.value.start, one.value.end)) for one in wanted]


def _highlighted(server: Server, params: lsp.DocumentHighlightParams) -> list[lsp.DocumentHighlight]:
    path = server.path(params.text_document.uri)
    offset = server.offset(path, params.position)
    found = references(server.project, path, offset) if offset is not None else []
    kinds = {True: lsp.DocumentHighlightKind.Write, False: lsp.DocumentHighlightKind.Read}
    return [
        lsp.DocumentHighlight(
            _location(server, path, Span(one.value.start, one.value.end)).range,
            kinds[one.makes and one.kind is NameKind.BLOB],
        )
        for one in found
    ]


def _renamed(server: Server, params: lsp.RenameParams) -> lsp.WorkspaceEdit | None:
    path = server.path(params.text_document.uri)
    offset = server.offset(path, params.position)
    found = rename(server.project, path, offset, params.new_name) if offset is not None else None
    if found is None:
        return None
    if found.refusal:
        raise JsonRpcInvalidParams(found.refusal)
    edits = [lsp.TextEdit(_location(server, path, span).range, found.text) for span in found.spans]
    return lsp.WorkspaceEdit(changes={params.text_document.uri: edits})


def _listed(server: Server, params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
    path = server.path(params.text_document.uri)
    document = server.project.document(path)
    if document is None:
        return []
    return [
        lsp.DocumentSymbol(
            one.name,
            lsp.SymbolKind.Class if one.layer else lsp.SymbolKind.Property,
            _location(server, path, one.span).range,
            _location(server, path, one.title).range,
            detail=one.detail,
        )
        for one in symbols(document)
    ]


def _folded(server: Server, params: lsp.FoldingRangeParams) -> list[lsp.FoldingRange]:
    path = server.path(params.text_document.uri)
    document = server.project.document(path)
    if document is None:
        return []
    lines = server.lines(path, document.source.text)
    return [lsp.FoldingRange(lines.at(start).line, lines.at(end).line) for start, end in folds(document)]


def _hinted(server: Server, params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
    path = server.path(params.text_document.uri)
    source = server.text(path)
    if source is None or server.project.kind(path) is not Kind.NET:
        return []
    lines = server.lines(path, source.text)
    first, last = (lines.offset(at.line, at.character) for at in (params.range.start, params.range.end))
    return [
        lsp.InlayHint(_location(server, path, Span(one.offset, one.offset)).range.start, one.text, padding_left=True)
        for one in hints(server.project, path)
        if first <= one.offset <= last
    ]


def _completed(server: Server, params: lsp.CompletionParams) -> lsp.CompletionList:
    path = server.path(params.text_document.uri)
    offset, source = server.offset(path, params.position), server.text(path)
    if offset is None or source is None:
        return lsp.CompletionList(False, [])
    lines = server.lines(path, source.text)
    items = complete(server.project, path, offset)
    return lsp.CompletionList(False, [protocol.completion(one, lines, offset) for one in items])


def _formatted(server: Server, params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit]:
    path = server.path(params.text_document.uri)
    document = server.project.document(path)
    if document is None:
        return []
    try:
        text = laid_out(document)
    except BrokenFileError as wrong:
        raise JsonRpcInvalidParams(f"the file is not laid out while its syntax is broken: {wrong}") from wrong
    if text == document.source.text:
        return []
    return [lsp.TextEdit(_location(server, path, Span(0, len(document.source.text))).range, text)]


def _within(action: lsp.CodeAction, kind: lsp.CodeActionKind | str) -> bool:
    asked, own = (str(getattr(one, "value", one)) for one in (kind, action.kind))
    return own == asked or own.startswith(f"{asked}.")


def _location(server: Server, path: str, span: Span) -> lsp.Location:
    source = server.text(path)
    lines = server.lines(path, source.text if source is not None else "")
    return lsp.Location(server.uris.get(path) or protocol.uri(path), protocol.range_of(lines, span))


_ACTIONS = [lsp.CodeActionKind.QuickFix, lsp.CodeActionKind.SourceFixAll]
_TRIGGERS = ['"', ":", " "]

FEATURES = (
    Feature(lsp.TEXT_DOCUMENT_DID_OPEN, _opened),
    Feature(lsp.TEXT_DOCUMENT_DID_CHANGE, _changed),
    Feature(lsp.TEXT_DOCUMENT_DID_SAVE, _saved),
    Feature(lsp.TEXT_DOCUMENT_DID_CLOSE, _closed),
    Feature(lsp.TEXT_DOCUMENT_HOVER, _hovered),
    Feature(lsp.TEXT_DOCUMENT_CODE_ACTION, _acted, lsp.CodeActionOptions(_ACTIONS)),
    Feature(lsp.TEXT_DOCUMENT_DEFINITION, _defined),
    Feature(lsp.TEXT_DOCUMENT_REFERENCES, _referred),
    Feature(lsp.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT, _highlighted),
    Feature(lsp.TEXT_DOCUMENT_RENAME, _renamed),
    Feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL, _listed),
    Feature(lsp.TEXT_DOCUMENT_FOLDING_RANGE, _folded),
    Feature(lsp.TEXT_DOCUMENT_INLAY_HINT, _hinted),
    Feature(lsp.TEXT_DOCUMENT_COMPLETION, _completed, lsp.CompletionOptions(_TRIGGERS)),
    Feature(lsp.TEXT_DOCUMENT_FORMATTING, _formatted),
)
