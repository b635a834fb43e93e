"""The state of a language server, and when it lints: off the event loop, once the keys are quiet."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from nanlint import __version__
from nanlint.server import protocol
from nanlint.server.lines import Lines
from nanlint.server.project import Project, Ran, lint
from nanlint.text.source import Source

QUIET = 0.15
"""Seconds without a keystroke after which a text is linted."""


class Server(LanguageServer):
    """One client, one project. All of its state is touched on the event loop alone; lints run beside it."""

    def __init__(self) -> None:
        super().__init__("nanlint", __version__)
        self.project = Project()
        self.waiting: dict[str, asyncio.TimerHandle] = {}
        self.stale: set[str] = set()
        self.busy = False
        self.shown: set[str] = set()
        self.uris: dict[str, str] = {}
        self.worker = ThreadPoolExecutor(1, thread_name_prefix="lint")
        self._lines: dict[str, Lines] = {}

    def lines(self, path: str, text: str) -> Lines:
        """The lines of a text in the client's columns."""
        known = self._lines.get(path)
        if known is None or known.text is not text:
            known = self._lines[path] = Lines(text, self.unit)
        return known

    @property
    def unit(self) -> str:
        return str(getattr(self.workspace.position_encoding, "value", "utf-16"))

    def path(self, uri: str) -> str:
        """The path of a document; documents that were never saved have their address for a path."""
        found = to_fs_path(uri) if uri.startswith("file:") else None
        path = found or uri
        self.uris[path] = uri
        return path

    def text(self, path: str) -> Source | None:
        document = self.project.document(path)
        return document.source if document is not None else None

    def offset(self, path: str, position: lsp.Position) -> int | None:
        source = self.text(path)
        return self.lines(path, source.text).offset(position.line, position.character) if source is not None else None

    def changed(self, path: str, delay: float = QUIET) -> None:
        """Lint what a change concerns once the keys are quiet."""
        timer = self.waiting.pop(path, None)
        if timer is not None:
            timer.cancel()
        self.waiting[path] = asyncio.get_running_loop().call_later(delay, self._due, path)

    def _due(self, path: str) -> None:
        self.waiting.pop(path, None)
        self.stale |= set(self.project.roots(path))
        self._next()

    def _next(self) -> None:
        if self.busy or not self.stale:
            return
        root = min(self.stale)
        self.stale.discard(root)
        self.busy = True
        texts = dict(self.project.texts)
        task = asyncio.get_running_loop().run_in_executor(self.worker, lint, root, texts)
        task.add_done_callback(lambda done: self._linted(root, texts, done))

    def _linted(self, root: str, texts: dict[str, str], done: asyncio.Future[Ran]) -> None:
        """Show what a lint found, unless a text that it read has changed meanwhile: it is then due again."""
        self.busy = False
        if not done.cancelled() and (error := done.exception()) is not None:
            self.window_log_message(lsp.LogMessageParams(lsp.MessageType.Error, f"{type(error).__name__}: {error}"))
        elif not done.cancelled():
            ran = done.result()
            current = all(self.project.texts.get(path) == texts.get(path) for path in {root, *ran.files})
            if root in self.project.texts and current:
                for path in sorted(self.project.keep(root, ran)):
                    self.publish(path)
                self._refresh()
        self._next()

    def _refresh(self) -> None:
        """Ask for the shapes behind the tops again, of a client that can be asked."""
        workspace = self.client_capabilities.workspace
        hints = workspace.inlay_hint if workspace is not None else None
        if hints is not None and hints.refresh_support:
            self.workspace_inlay_hint_refresh(None)

    def publish(self, path: str) -> None:
        """Send a file's findings; of a file that never had any, nothing."""
        found = self.project.findings(path)
        if not found and path not in self.shown and path not in self.project.texts:
            return
        self.shown.add(path)
        self.text_document_publish_diagnostics(
            lsp.PublishDiagnosticsParams(
                self.uris.get(path) or protocol.uri(path),
                [protocol.diagnostic(one, self.lines) for one in found],
                self._version(path),
            )
        )

    def _version(self, path: str) -> int | None:
        uri = self.uris.get(path)
        return self.workspace.get_text_document(uri).version if uri is not None and path in self.project.texts else None
