"""`nanlint graph`."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from nanlint.commands.calls import open_paths, settings
from nanlint.commands.console import show, status
from nanlint.options import Caffe, ConfigFile, Inputs, Paths, Roots, output_format


class Options(NamedTuple):
    paths: Paths
    output_format: Annotated[str, output_format("dot", "mermaid", "json")] = "dot"
    caffe: Caffe = None
    roots: Roots = ()
    inputs: Inputs = ()
    config_file: ConfigFile = None


def run(options: Options) -> int:
    """Show nets as graphs of layers and blobs."""
    from nanlint.report import graph as writer

    opened = open_paths(options.paths, settings(options))
    files = [(one.path, one.nets) for one in opened.loaded]
    if options.output_format == "json":
        show([writer.dumps(files)])
    else:
        show(writer.mermaid(files) if options.output_format == "mermaid" else writer.dot(files))
    return status(opened.failures)
