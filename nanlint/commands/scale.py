"""`nanlint scale`."""

from __future__ import annotations

from typing import NamedTuple

from nanlint.commands.calls import open_paths, settings
from nanlint.commands.console import show, status, width, write
from nanlint.options import Caffe, ConfigFile, Inputs, Paths, Roots, StdinFilename, TableFormat


class Options(NamedTuple):
    paths: Paths
    output_format: TableFormat = "text"
    caffe: Caffe = None
    roots: Roots = ()
    inputs: Inputs = ()
    stdin_filename: StdinFilename = None
    config_file: ConfigFile = None


def run(options: Options) -> int:
    """Show how large activations, weights, gradients and the loss are at initialisation."""
    from nanlint.report import scale as writer

    opened = open_paths(options.paths, settings(options), options.stdin_filename)
    files = [(one.path, one.solver, one.nets) for one in opened.loaded]
    if options.output_format == "json":
        write([writer.dumps(files)])
    else:
        show(writer.lines(files, width()))
    return status(opened.failures)
