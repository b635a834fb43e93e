"""From the last key to the findings, as an editor waits for them: server, protocol and 150 ms of quiet included.

    python benchmarks/editing.py [--rounds N] [NET.prototxt ...]

Opens each net in a server of its own process, types a letter at its end and takes it back, and prints the best and the
median of the rounds in milliseconds. Needs `nanlint[server]`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import time
from pathlib import Path

from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

PROJECT = Path(__file__).resolve().parent.parent
CORPUS = Path(os.environ.get("NANLINT_SHARED", PROJECT.parent / "shared")) / "corpus"
NETS = (
    "BVLC+caffe/examples/mnist/lenet_consolidated_solver.prototxt",
    "KaimingHe+deep-residual-networks/prototxt/ResNet-152-deploy.prototxt",
    "hujie-frank+SENet/models/SENet-154.prototxt",
)


async def measure(net: Path, rounds: int) -> list[float]:
    """Milliseconds from a change to the findings that know of it."""
    client = LanguageClient("benchmark", "1")
    news = asyncio.Event()
    seen: list[int | None] = []

    @client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    def published(params: lsp.PublishDiagnosticsParams) -> None:
        seen.append(params.version)
        news.set()

    async def shown(version: int) -> None:
        while version not in seen:
            news.clear()
            await news.wait()

    await client.start_io(sys.executable, "-m", "nanlint", "server")
    await client.initialize_async(lsp.InitializeParams(capabilities=lsp.ClientCapabilities()))
    client.initialized(lsp.InitializedParams())
    text = net.read_text()
    client.text_document_did_open(
        lsp.DidOpenTextDocumentParams(lsp.TextDocumentItem(net.as_uri(), "prototxt", 0, text))
    )
    await shown(0)
    taken = []
    for version in range(1, 2 * rounds + 1):
        changed = f"{text}#" if version % 2 else text
        start = time.perf_counter()
        client.text_document_did_change(
            lsp.DidChangeTextDocumentParams(
                lsp.VersionedTextDocumentIdentifier(version, net.as_uri()),
                [lsp.TextDocumentContentChangeWholeDocument(changed)],
            )
        )
        await shown(version)
        taken.append(1000 * (time.perf_counter() - start))
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("nets", nargs="*", type=Path)
    given = parser.parse_args()
    print(f"{'net':44} {'best ms':>8} {'median':>8}")
    for net in given.nets or [CORPUS / name for name in NETS]:
        taken = asyncio.run(measure(net.resolve(), given.rounds))
        print(f"{net.name[:44]:44} {min(taken):8.0f} {statistics.median(taken):8.0f}")


if __name__ == "__main__":
    main()
