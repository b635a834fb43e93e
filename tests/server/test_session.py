"""A whole session over the protocol, with the client that pygls ships and a server of its own process."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pygls")

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient

from tests.server.test_project import NET, SOLVER

_PATIENCE = 30.0


class Client(LanguageClient):
    """Collects what the server publishes, in order."""

    def __init__(self) -> None:
        super().__init__("tests", "1")
        self.published: list[lsp.PublishDiagnosticsParams] = []
        self.news = asyncio.Event()

        self.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(lambda params: self.keep(params))

    def keep(self, params: lsp.PublishDiagnosticsParams) -> None:
        self.published.append(params)
        self.news.set()

    async def shows(self, uri: str, wanted: Callable[[list[lsp.Diagnostic]], bool]) -> list[lsp.Diagnostic]:
        """Wait until the last that was published for a file is as wanted."""

        async def wait() -> list[lsp.Diagnostic]:
            while True:
                latest = next((one for one in reversed(self.published) if one.uri == uri), None)
                if latest is not None and wanted(list(latest.diagnostics)):
                    return list(latest.diagnostics)
                self.news.clear()
                await self.news.wait()

        return await asyncio.wait_for(wait(), _PATIENCE)

    def opens(self, path: Path) -> str:
        item = lsp.TextDocumentItem(path.as_uri(), "prototxt", 1, path.read_text())
        self.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
        return path.as_uri()

    def types(self, uri: str, version: int, text: str) -> None:
        document = lsp.VersionedTextDocumentIdentifier(version, uri)
        changes: list[Any] = [lsp.TextDocumentContentChangeWholeDocument(text)]
        self.text_document_did_change(lsp.DidChangeTextDocumentParams(document, changes))


def session(act: Callable[[Client], Awaitable[None]]) -> None:
    async def whole() -> None:
        client = Client()
        await client.start_io(sys.executable, "-m", "nanlint", "server")
        await client.initialize_async(lsp.InitializeParams(capabilities=lsp.ClientCapabilities()))
        client.initialized(lsp.InitializedParams())
        try:
            await act(client)
        finally:
            await client.shutdown_async(None)
            client.exit(None)
            await client.stop()  # type: ignore[no-untyped-call]

    run: Coroutine[Any, Any, None] = whole()
    asyncio.run(run)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "solver.prototxt").write_text(SOLVER)
    net = NET.replace("num_output: 5", "num_outputs: 5").replace('"small"', '"small"  # 𝒳')
    (tmp_path / "net.prototxt").write_text(net)
    return tmp_path


def codes(diagnostics: list[lsp.Diagnostic]) -> set[Any]:
    return {one.code for one in diagnostics}


def test_from_a_finding_to_its_mend(folder: Path) -> None:
    async def act(client: Client) -> None:
        client.opens(folder / "solver.prototxt")
        uri = client.opens(folder / "net.prototxt")
        found = await client.shows(uri, lambda shown: any(one.severity == 1 for one in shown))
        (misspelt,) = [one for one in found if "num_outputs" in one.message and one.severity == 1]
        asked = lsp.CodeActionParams(
            lsp.TextDocumentIdentifier(uri), misspelt.range, lsp.CodeActionContext(diagnostics=[misspelt])
        )
        offered = await client.text_document_code_action_async(asked)
        mend = next(one for one in offered or [] if isinstance(one, lsp.CodeAction) and one.is_preferred)
        assert mend.edit is not None
        assert mend.edit.changes is not None
        (edit,) = mend.edit.changes[uri]
        lines = (folder / "net.prototxt").read_text().split("\n")
        start, end = edit.range.start, edit.range.end
        lines[start.line] = lines[start.line][: start.character] + edit.new_text + lines[start.line][end.character :]
        client.types(uri, 2, "\n".join(lines))
        await client.shows(uri, lambda shown: misspelt.code not in codes(shown))

    session(act)


def test_many_keystrokes_give_one_lint(folder: Path) -> None:
    async def act(client: Client) -> None:
        uri = client.opens(folder / "net.prototxt")
        await client.shows(uri, bool)
        client.published.clear()
        text = NET
        for version in range(2, 22):
            text += "#"
            client.types(uri, version, text)
        await client.shows(uri, lambda shown: not any(one.severity == 1 for one in shown))
        assert [one.version for one in client.published if one.uri == uri] == [21]

    session(act)


def test_every_request_is_answered(folder: Path) -> None:
    async def act(client: Client) -> None:
        uri = client.opens(folder / "net.prototxt")
        document = lsp.TextDocumentIdentifier(uri)
        text = (folder / "net.prototxt").read_text()
        line = text[: text.index('bottom: "conv" top: "fc"')].count("\n")
        at = lsp.Position(line, text.split("\n")[line].index('"conv"') + 2)
        whole = lsp.Range(lsp.Position(0, 0), lsp.Position(99, 0))
        assert await client.text_document_hover_async(lsp.HoverParams(document, at))
        assert await client.text_document_definition_async(lsp.DefinitionParams(document, at))
        context = lsp.ReferenceContext(include_declaration=True)
        assert len(await client.text_document_references_async(lsp.ReferenceParams(context, document, at)) or []) == 4
        assert await client.text_document_document_highlight_async(lsp.DocumentHighlightParams(document, at))
        assert await client.text_document_document_symbol_async(lsp.DocumentSymbolParams(document))
        assert await client.text_document_folding_range_async(lsp.FoldingRangeParams(document))
        assert await client.text_document_inlay_hint_async(lsp.InlayHintParams(document, whole))
        assert await client.text_document_completion_async(lsp.CompletionParams(document, at))
        options = lsp.FormattingOptions(tab_size=2, insert_spaces=True)
        assert await client.text_document_formatting_async(lsp.DocumentFormattingParams(document, options))
        assert await client.text_document_rename_async(lsp.RenameParams(document, at, "features"))
        with pytest.raises(JsonRpcException, match="already"):
            await client.text_document_rename_async(lsp.RenameParams(document, at, "data"))

    session(act)
