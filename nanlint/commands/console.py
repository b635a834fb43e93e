"""Where commands print, how wide, and how a run ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator

from nanlint.config import UsageError
from nanlint.safety.printable import line

OK, FINDINGS, WRONG = 0, 1, 2

_WIDTH_OF_A_PIPE, _WIDEST = 100, 140


def show(lines: Iterable[str]) -> None:
    """Print lines for people to standard output, each made harmless."""
    write(printable(lines))


def printable(lines: Iterable[str]) -> Iterator[str]:
    """Lines for people, each made harmless (`safety.printable.line`)."""
    return ("\n".join(map(line, one.split("\n"))) if "\n" in one else line(one) for one in lines)


def write(lines: Iterable[str]) -> None:
    """Print data to standard output as it is; a reader that has gone away has what it wanted."""
    try:
        for one in lines:
            print(one)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def tell(words: str) -> None:
    """Print a line for people to standard error."""
    print(line(words), file=sys.stderr)


def width() -> int:
    """The terminal's width, within what is easily read. (`shutil` knows it too, but takes 6 ms to import.)"""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given) > 0:
        return min(int(given), _WIDEST)
    try:
        columns = os.get_terminal_size(sys.__stdout__.fileno()).columns if sys.__stdout__ else 0
    except (OSError, ValueError):
        columns = 0
    return min(columns or _WIDTH_OF_A_PIPE, _WIDEST)


def status(failures: Iterable[str], otherwise: int = OK) -> int:
    """Say on standard error what could not be done; the exit status."""
    for failure in failures:
        tell(f"nanlint: {failure}")
        otherwise = WRONG
    return otherwise


def guarded(run: Callable[[], int]) -> int:
    """The exit status of a command. A wrong call, and a bug of nanlint's, are said on standard error."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        return run()
    except UsageError as wrong:
        return status([str(wrong)])
    except Exception as error:
        import traceback

        traceback.print_exc()
        return status([f"internal error: {type(error).__name__}: {error}. Please report this"])
