"""`nanlint upgrade`."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from nanlint.commands.calls import standard_input
from nanlint.commands.console import status
from nanlint.commands.output import Output, deliver
from nanlint.options import Argument


class Options(NamedTuple):
    path: Annotated[str, Argument("FILE", "A net or a solver in an old format, or -.")]
    output: Output = None


def run(options: Options) -> int:
    """Write a file in today's format: V0 and V1 layers, inputs, deprecated fields; comments and order stay."""
    from nanlint.caffe.upgrade_text import CannotUpgradeError, upgraded_net_text, upgraded_solver_text
    from nanlint.engine.files import Kind, classify
    from nanlint.safety.reading import read_named, reason
    from nanlint.text.parser import parse
    from nanlint.text.source import Source

    try:
        data = standard_input([options.path]) if options.path == "-" else read_named(options.path)
    except (OSError, ValueError) as wrong:
        return status([f"cannot read `{options.path}`: {reason(wrong)}"])
    source = Source.decode(options.path, data)
    upgrade = upgraded_solver_text if classify(parse(source), options.path) is Kind.SOLVER else upgraded_net_text
    try:
        text = upgrade(source)
    except CannotUpgradeError as wrong:
        return status([f"`{options.path}` cannot be upgraded: {wrong}"])
    deliver(text, options.output)
    return 0
