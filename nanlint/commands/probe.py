"""`nanlint probe`."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from nanlint.commands.calls import open_paths, settings
from nanlint.commands.console import status
from nanlint.commands.output import deliver
from nanlint.config import UsageError
from nanlint.options import Argument, Caffe, ConfigFile, Data, Option, Proto, Roots
from nanlint.safety.reading import is_there


class Options(NamedTuple):
    solver: Annotated[str, Argument("SOLVER", "The solver whose data is to be read.")]
    out: Annotated[str | None, Option("--out", "FILE", "Write to this file, which must not be there.")] = None
    data: Data = None
    caffe: Caffe = None
    proto: Proto = None
    roots: Roots = ()
    config_file: ConfigFile = None


def run(options: Options) -> int:
    """Write a solver whose net only reads the data of the training net, to be run with `caffe train`."""
    from nanlint.data.probe import NoDataError, probe

    if options.out is not None and is_there(options.out):
        raise UsageError(f"`{options.out}` is there already, and is not written over; name another file")
    opened = open_paths([options.solver], settings(options))
    for one in opened.loaded:
        net = one.solver.train_net if one.solver is not None else None
        if net is None:
            raise UsageError(f"`{options.solver}` is no solver with a training net that can be read")
        try:
            text = probe(net, one.beside.sources if one.beside is not None else ())
        except NoDataError:
            raise UsageError(f"no layer of the training net of `{options.solver}` reads data") from None
        deliver(text, options.out)
    return status(opened.failures)
