"""`nanlint graph`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, NamedTuple

from nanlint.caffe.model import TEST, TRAIN
from nanlint.commands.calls import open_paths, settings
from nanlint.commands.console import status
from nanlint.commands.output import Output, deliver
from nanlint.config import UsageError
from nanlint.options import Caffe, ConfigFile, Inputs, Option, Paths, Roots, StdinFilename, output_format

if TYPE_CHECKING:
    from nanlint.caffe.model import Net


class Options(NamedTuple):
    paths: Paths
    output_format: Annotated[str, output_format("dot", "mermaid", "json", "svg")] = "dot"
    output: Output = None
    phase: Annotated[str | None, Option("--phase", None, "The nets of this phase alone.", (TRAIN, TEST))] = None
    unfold: Annotated[bool, Option("--unfold", None, "svg: draw every copy of a block that repeats.")] = False
    caffe: Caffe = None
    roots: Roots = ()
    inputs: Inputs = ()
    stdin_filename: StdinFilename = None
    config_file: ConfigFile = None


def run(options: Options) -> int:
    """Show nets as graphs of layers and blobs; svg draws one net, and so does `-o FILE.svg`."""
    opened = open_paths(options.paths, settings(options), options.stdin_filename)
    if opened.loaded or not opened.failures:
        files = [
            (one.path, [net for net in one.nets if options.phase in (None, net.role or net.phase)])
            for one in opened.loaded
        ]
        read = [bound.source.path for one in opened.loaded for bound in one.bounds]
        deliver(_written(files, options), options.output, read)
    return status(opened.failures)


def _written(files: Sequence[tuple[str, Sequence[Net]]], options: Options) -> str:
    """The nets in the format that is asked for, by name or by the ending of the output."""
    from nanlint.report import graph as writer

    if options.output_format == "svg" or (options.output or "").endswith(".svg"):
        return _drawing([net for _, nets in files for net in nets], options.unfold)
    if options.output_format == "json":
        return writer.dumps(files)
    return "\n".join(writer.mermaid(files) if options.output_format == "mermaid" else writer.dot(files))


def _drawing(nets: Sequence[Net], unfold: bool) -> str:
    """The one net, or the training net of several. Raises UsageError where there is none."""
    from nanlint.view.draw import Marks, document
    from nanlint.view.facts import sizes
    from nanlint.view.fold import folded, plain
    from nanlint.view.nodes import picture

    net = next((net for net in nets if net.phase == TRAIN), nets[0] if nets else None)
    if net is None:
        raise UsageError("there is no net of that phase to draw")
    drawn = picture(net)
    return document(plain(drawn) if unfold else folded(drawn), Marks(sizes=sizes(net)))
