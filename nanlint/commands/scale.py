"""`nanlint scale`."""

from __future__ import annotations

from typing import NamedTuple

from nanlint.commands.calls import open_paths, settings
from nanlint.commands.console import show, status, width, write
from nanlint.options import Caffe, ConfigFile, Data, Inputs, Paths, Ranges, Roots, StdinFilename, TableFormat


class Options(NamedTuple):
    paths: Paths
    output_format: TableFormat = "text"
    caffe: Caffe = None
    roots: Roots = ()
    inputs: Inputs = ()
    ranges: Ranges = ()
    data: Data = None
    stdin_filename: StdinFilename = None
    config_file: ConfigFile = None


def run(options: Options) -> int:
    """Show how large activations, gradients and the loss are at initialisation, and which rate the net bears."""
    from nanlint.report import scale as writer

    opened = open_paths(options.paths, settings(options), options.stdin_filename)
    files = [(one.path, one.solver, one.nets) for one in opened.loaded]
    if options.output_format == "json":
        write([writer.dumps(files)])
    else:
        show(writer.lines(files, width()))
    return status(opened.failures)
