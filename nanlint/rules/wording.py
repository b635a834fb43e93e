"""Words that many messages share: a setting as it stands in the file, a number, a count."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

from nanlint.numbers.float32 import show
from nanlint.schema.suggest import is_fork_field

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from nanlint.caffe.model import Solver


def setting(message: Message, name: str) -> str:
    """A scalar field as the file has it, or as missing, with the value that then holds."""
    written = value(getattr(message, name))
    return f"`{name}: {written}`" if message.HasField(name) else f"missing `{name}` ({written})"


def value(of: object) -> str:
    """A scalar as prototxt spells it."""
    if isinstance(of, bool):
        return "true" if of else "false"
    if isinstance(of, float):
        return show(of)
    return f'"{of}"' if isinstance(of, str) else str(of)


def for_a_fork(solver: Solver) -> bool:
    """Whether the solver uses what only forks of Caffe have, so that a name unknown here may be known there."""
    if solver.pinned:
        return False
    ours = all(not is_fork_field(field) for field, _ in solver.param.ListFields())
    return not ours or any(problem.kind == "unknown-field" for problem in solver.bound.problems)


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 iteration`, `2 iterations`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def times(logarithm: float) -> str:
    """A factor, given as its natural logarithm."""
    return f"{exp(logarithm):.2g} times" if logarithm < 300 else "1e130 times and more"
