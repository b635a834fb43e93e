"""Where commands print, how wide, and how a run ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from io import TextIOWrapper

from nanlint.config import UsageError
from nanlint.safety.printable import line
from nanlint.safety.reading import reason

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
            if is_closed("stdout"):
                raise OutputError("it is closed")
            print(one)
        sys.stdout.flush()
    except BrokenPipeError:
        _give_up_output()
    except OSError as wrong:
        _give_up_output()
        raise OutputError(reason(wrong)) from wrong


class OutputError(Exception):
    """Standard output takes no more: a full disk, most often."""


def _give_up_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


_closed: set[str] = set()


def _open_closed_streams() -> None:
    """Put something in the place of streams that were closed before the start."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            _closed.add(name)
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115


def is_closed(name: str) -> bool:
    """Whether `stdin` or `stdout` was closed before the start."""
    return name in _closed


def _is_nowhere() -> bool:
    try:
        os.getcwd()  # noqa: PTH109
    except OSError:
        return True
    return False


def die_of_interrupt() -> None:
    """End as Ctrl-C ends a process, so that a shell or a script sees it; but without a traceback."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)


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
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return run()
    except UsageError as wrong:
        return status([str(wrong)])
    except OutputError as wrong:
        return status([f"cannot write to standard output: {wrong}"])
    except KeyboardInterrupt:
        die_of_interrupt()
        return WRONG
    except MemoryError:
        return status(["there is not enough memory for this"])
    except Exception as error:
        if isinstance(error, FileNotFoundError) and _is_nowhere():
            return status(["the working directory exists no more; call nanlint from another"])
        import traceback

        traceback.print_exc()
        return status([f"internal error: {type(error).__name__}: {error}. Please report this"])
