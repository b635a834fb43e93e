"""`nanlint forks`."""

from __future__ import annotations

from typing import NamedTuple

from nanlint.commands.calls import open_paths, settings
from nanlint.commands.console import show, status, write
from nanlint.options import ConfigFile, Paths, Roots, StdinFilename, TableFormat


class Options(NamedTuple):
    paths: Paths
    output_format: TableFormat = "text"
    roots: Roots = ()
    stdin_filename: StdinFilename = None
    config_file: ConfigFile = None


def run(options: Options) -> int:
    """Show which forks of Caffe can read a solver with its nets, and what each other one lacks."""
    from nanlint.caffe.forks import needs
    from nanlint.config import merge
    from nanlint.report import forks as writer

    opened = open_paths(options.paths, merge(settings(options), caffe="any"), options.stdin_filename)
    files = [(one.path, [need for bound in one.bounds for need in needs(bound)]) for one in opened.loaded]
    if options.output_format == "json":
        write([writer.dumps(files)])
    else:
        show(writer.lines(files))
    return status(opened.failures)
