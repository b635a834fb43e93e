"""`nanlint view`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, NamedTuple

from nanlint.commands.calls import settings, standard_input
from nanlint.commands.console import status
from nanlint.commands.output import Output, deliver
from nanlint.config import UsageError
from nanlint.options import Argument, Caffe, ConfigFile, Inputs, Option, Ranges, Roots

if TYPE_CHECKING:
    from nanlint.view.page import Run

_PAGES = (".html", ".htm")


class Options(NamedTuple):
    path: Annotated[str, Argument("SOLVER|NET", "A solver, a net, or -.")]
    output: Output = None
    log: Annotated[
        str | None, Option("--log", "FILE", "A log of its training: its loss, and what went wrong in it.")
    ] = None
    open_: Annotated[bool, Option("--open", None, "Show the page in the browser.")] = False
    caffe: Caffe = None
    roots: Roots = ()
    inputs: Inputs = ()
    ranges: Ranges = ()
    config_file: ConfigFile = None


def run(options: Options) -> int:
    """Write one HTML page: the picture of the nets, what is wrong in them, and what is known of each layer."""
    from nanlint.engine import judged
    from nanlint.engine.load import open_all
    from nanlint.view.page import page

    output = options.output
    if output is not None and not output.endswith(_PAGES):
        raise UsageError(f"`{output}` is no page; write `-o FILE.html`")
    if output is None and options.open_:
        output = _temporary()
    if output is None and sys.stdout.isatty():
        raise UsageError("`view` writes a page; write `-o FILE.html`, or `--open` to look at it now")
    of = settings(options)
    opened = open_all([options.path], of, stdin=standard_input([options.path]))
    if not opened.loaded:
        return status(opened.failures or [f"`{options.path}` holds no solver and no net"])
    if len(opened.loaded) > 1:
        raise UsageError(f"`{options.path}` holds {len(opened.loaded)} files; name one solver or net")
    report = judged(opened, of)
    text = page(opened.loaded[0], report, _run(options.log, options.path) if options.log is not None else None)
    deliver(text, output, [options.path, *report.files])
    if options.open_ and output is not None:
        _show(output)
    return status(report.failures)


def _run(path: str, solver: str) -> Run:
    """A log, read and judged. Raises UsageError for what is none."""
    from nanlint.diagnosis import diagnose
    from nanlint.logs.files import read
    from nanlint.safety.reading import reason
    from nanlint.view.page import Run

    try:
        log = read(path)
    except (OSError, ValueError) as wrong:
        raise UsageError(f"cannot read `{path}`: {reason(wrong)}") from wrong
    if not log.recognised:
        raise UsageError(f"`{path}` has no line that Caffe writes; it is no training log")
    return Run(log, diagnose(log, solver))


def _temporary() -> str:
    import tempfile
    from pathlib import Path

    return str(Path(tempfile.mkdtemp(prefix="nanlint-"), "net.html"))


def _show(output: str) -> None:
    import webbrowser
    from pathlib import Path

    webbrowser.open(Path(output).resolve().as_uri())
