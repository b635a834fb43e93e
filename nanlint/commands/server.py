"""`nanlint server`."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from nanlint.commands.console import OK
from nanlint.config import UsageError
from nanlint.options import Option


class Options(NamedTuple):
    stdio: Annotated[bool, Option("--stdio", None, "Over standard input and output, as without it.")] = False


def run(options: Options) -> int:
    """Serve an editor over standard input and output, in the Language Server Protocol."""
    try:
        from nanlint.server.features import serve
    except ModuleNotFoundError as missing:
        raise UsageError(f"`{missing.name}` is missing; install it with: pip install 'nanlint[server]'") from missing
    serve()
    return OK
