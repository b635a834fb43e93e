"""`python -m nanlint`, and the `nanlint` command."""

from __future__ import annotations

import sys

COMMANDS = ("check", "shapes", "lr", "explain", "rules")


def main() -> None:
    """Run the command line, and leave with its exit status."""
    arguments = sys.argv[1:]
    if not arguments or (arguments[0] != "check" and arguments[0] in COMMANDS):
        _parse(arguments)
    from nanlint import shortcut

    plain = shortcut.read(arguments)
    if plain is None:
        _parse(arguments)
    else:
        from nanlint import commands

        sys.exit(commands.guarded(lambda: commands.check(**plain)))


def _parse(arguments: list[str]) -> None:
    from nanlint import cli

    cli.main(arguments)


if __name__ == "__main__":
    main()
