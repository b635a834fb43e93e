"""`nanlint deploy`."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from nanlint.commands.calls import open_paths, settings
from nanlint.commands.console import status
from nanlint.commands.output import Output, deliver
from nanlint.options import Argument, Caffe, ConfigFile, Inputs, Option, Roots

Batch = Annotated[int, Option("--batch", "N", "How many examples the net takes at once.", least=1)]


class Options(NamedTuple):
    path: Annotated[str, Argument("PATH", "A solver, or a training net.")]
    output: Output = None
    batch: Batch = 1
    inputs: Inputs = ()
    roots: Roots = ()
    caffe: Caffe = None
    config_file: ConfigFile = None


def run(options: Options) -> int:
    """Write the deploy net: inputs for data, predictions for losses, without what only training and tests need."""
    from nanlint.analysis.deploy_text import CannotDeployError, deploy_net_text
    from nanlint.caffe.options import Options as Reading
    from nanlint.engine.load import dialect_of

    chosen = settings(options)
    opened = open_paths((options.path,), chosen)
    if opened.failures:
        return status(opened.failures)
    one = opened.loaded[0]
    net = one.solver.train_net if one.solver is not None else one.nets[0] if one.nets else None
    if net is None or net.origin is not None:
        return status([f"`{options.path}` leads to no training net in a file of its own; `nanlint check` says why"])
    try:
        reading = Reading(dialect_of(chosen), chosen.roots, chosen.inputs)
        text = deploy_net_text(net.bound.source, reading, options.batch)
    except CannotDeployError as wrong:
        return status([f"`{net.path}` has no deploy net: {wrong}"])
    deliver(text, options.output, (options.path, net.path))
    return 0
