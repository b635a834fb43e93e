"""`python -m nanlint`, and the `nanlint` command."""

from __future__ import annotations

import sys


def main() -> None:
    from nanlint import cli

    cli.main(sys.argv[1:])


if __name__ == "__main__":
    main()
