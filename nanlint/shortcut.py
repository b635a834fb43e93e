"""The plain call, read without the option parser, whose import takes as long as linting a net.

Only what cannot be read in two ways is taken: paths, and options that are spelt in full. Everything else,
help and mistakes too, goes through `nanlint.cli`; a test holds both to the same reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from nanlint.commands import COMMANDS, module
from nanlint.options import Argument, Field, Option, fields_of


class Call(NamedTuple):
    """A command and its options."""

    command: str
    options: Any

    def run(self) -> int:
        """Run the command; its exit status."""
        status: int = module(self.command).run(self.options)
        return status


def read(arguments: Sequence[str]) -> Call | None:
    """The call that a command line spells; None where it takes the option parser."""
    command, words = COMMANDS[0], list(arguments)
    if words and words[0] in COMMANDS:
        command = words.pop(0)
    record = module(command).Options
    fields = fields_of(record)
    given = _values(words, fields)
    if given is None or any(field.needed and not given.get(field.name) for field in fields):
        return None
    return Call(command, record(**given))


def _values(words: list[str], fields: list[Field]) -> dict[str, Any] | None:
    """The value of each field that the words give."""
    options = {name: field for field in fields if isinstance(field.spelt, Option) for name in field.spelt.names}
    arguments = [field for field in fields if isinstance(field.spelt, Argument)]
    given: dict[str, Any] = {}
    rest = iter(words)
    for word in rest:
        if word == "-" or not word.startswith("-"):
            field, value = _next(arguments, given), word
        else:
            name, equals, value = word.partition("=")
            field = options.get(name)
            if field is not None and field.switch:
                given[field.name] = True
                value = "-" if equals else ""
            elif not equals:
                value = next(rest, "-")
            if value.startswith("-"):
                return None
        if field is None or not _take(field, value, given):
            return None
    return given


def _next(arguments: list[Field], given: dict[str, Any]) -> Field | None:
    """The argument that the next word is."""
    return next((one for one in arguments if one.repeated or one.name not in given), None)


def _take(field: Field, word: str, given: dict[str, Any]) -> bool:
    """Whether the word can be the field's value, or one more of its values."""
    if field.switch:
        return True
    try:
        value = field.value(word)
    except ValueError:
        return False
    if field.repeated:
        given[field.name] = (*given.get(field.name, ()), value)
        return True
    if field.name in given:
        return False
    given[field.name] = value
    return True
