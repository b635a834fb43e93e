"""`python -m nanlint`, and the `nanlint` command."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Run the command line, and end the process with its exit status.

    It ends at once: to take the objects of a large net apart one by one takes a sixth of a run.
    """
    try:
        run()
    except SystemExit as left:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except OSError:
            raise left from None
        if not isinstance(left.code, int):
            raise
        os._exit(left.code)
    except KeyboardInterrupt:
        from nanlint.commands.console import die_of_interrupt

        die_of_interrupt()


def run() -> None:
    """Run the command line. Raises SystemExit with its exit status."""
    from nanlint import shortcut

    gc.set_threshold(100_000)  # a run keeps nearly all that it makes: looking for garbage more often is in vain
    arguments = sys.argv[1:]
    call = None if "_NANLINT_COMPLETE" in os.environ else shortcut.read(arguments)
    if call is None:
        from nanlint import cli

        cli.main(arguments)
    else:
        from nanlint.commands.console import guarded

        sys.exit(guarded(call.run))


if __name__ == "__main__":
    main()
