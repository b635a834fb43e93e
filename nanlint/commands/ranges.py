"""`nanlint ranges`."""

from __future__ import annotations

from typing import NamedTuple

from nanlint.commands.calls import open_paths, settings
from nanlint.commands.console import show, status, width, write
from nanlint.options import Caffe, ConfigFile, Inputs, Paths, Ranges, Roots, StdinFilename, TableFormat


class Options(NamedTuple):
    paths: Paths
    output_format: TableFormat = "text"
    caffe: Caffe = None
    roots: Roots = ()
    inputs: Inputs = ()
    ranges: Ranges = ()
    stdin_filename: StdinFilename = None
    config_file: ConfigFile = None


def run(options: Options) -> int:
    """Show what every blob can hold in the first iteration: bounds, NaN, infinity."""
    from nanlint.report import ranges as writer

    opened = open_paths(options.paths, settings(options), options.stdin_filename)
    files = [(one.path, one.nets) for one in opened.loaded]
    if options.output_format == "json":
        write([writer.dumps(files)])
    else:
        show(writer.lines(files, width()))
    return status(opened.failures)
