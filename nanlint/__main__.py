"""`python -m nanlint`, and the `nanlint` command."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command line, and leave with its exit status."""
    from nanlint import shortcut

    gc.set_threshold(100_000)  # a run keeps nearly all that it makes: looking for garbage more often is in vain
    arguments = sys.argv[1:]
    plain = shortcut.read(arguments)
    if plain is None:
        from nanlint import cli

        cli.main(arguments)
    else:
        from nanlint import commands

        sys.exit(commands.guarded(lambda: commands.check(**plain)))


if __name__ == "__main__":
    main()
