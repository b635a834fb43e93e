"""Scalars as protobuf's C++ text parser reads them (`text_format.cc` and `tokenizer.cc`, protobuf 3.21)."""

from __future__ import annotations

import re
from collections.abc import Callable

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

from nanlint.schema.forks import FIRST_FORK_NUMBER
from nanlint.text.lexer import encoded
from nanlint.text.tree import Kind, Scalar

FLOAT_MAX = 3.4028234663852886e38
_FLOAT_MAX_ROUNDED = 3.4028235677973366e38
_BEYOND_ALL = 10**30
_INTEGER = re.compile(r"-?(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")
_DECIMAL = re.compile(r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?[a-zA-Z]?")
_TRUE = ("true", "True", "t")
_FALSE = ("false", "False", "f")
_WORDS_FOR_TRUE = frozenset(("true", "t", "yes", "on", "y"))
_WORDS_FOR_FALSE = frozenset(("false", "f", "no", "off", "n"))
_LIMITS = {
    FieldDescriptor.TYPE_INT32: ("int32", -(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_UINT32: ("uint32", 0, 2**32 - 1),
    FieldDescriptor.TYPE_INT64: ("int64", -(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT64: ("uint64", 0, 2**64 - 1),
}

Value = int | float | bool | str | bytes
Convert = Callable[[Scalar], Value]


class RefusedError(Exception):
    """A scalar that the field's type does not take.

    `text` is what to write instead and `meant` the value to read in its place, where there is no doubt.
    """

    def __init__(self, kind: str, message: str, text: str | None = None, meant: Value | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.text = text
        self.meant = meant


def converter(field: FieldDescriptor) -> Convert:
    """The function that reads a scalar of this field's type. It raises RefusedError where protobuf stops."""
    kind = field.type
    if kind in _LIMITS:
        return _integer(*_LIMITS[kind])
    if kind in (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE):
        return _float if kind == FieldDescriptor.TYPE_FLOAT else _double
    if kind == FieldDescriptor.TYPE_BOOL:
        return _bool
    if isinstance(field.enum_type, EnumDescriptor):
        return _enum(field.enum_type)
    return _string if kind == FieldDescriptor.TYPE_STRING else _bytes


def converter_of(kind: str) -> Convert | None:
    """The function that reads a scalar of a type by its name in the schema (`bool`, `int32`)."""
    if kind == "bool":
        return _bool
    return next((_integer(*limits) for limits in _LIMITS.values() if limits[0] == kind), None)


def _integer(name: str, low: int, high: int) -> Convert:
    def convert(scalar: Scalar) -> int:
        text = scalar.text
        if scalar.kind is not Kind.NUMBER:
            raise _no_integer(scalar, low, high)
        match = _INTEGER.fullmatch(text)
        if match is None:
            raise _no_integer(scalar, low, high)
        value = _plain_integer(text)
        if text[0] == "-" and low == 0:
            raise RefusedError("wrong-type", f"takes no sign, but `{text}` has one")
        if not low <= value <= high:
            message = f"`{text}` is outside {name}, which ends at {low} and {high}"
            raise RefusedError("integer-out-of-range", message)
        return value

    return convert


def _plain_integer(text: str) -> int:
    digits = text.lstrip("-")
    if digits[0] == "0" and len(digits) > 1:
        value = int(digits, 16) if digits[1] in "xX" else int(digits, 8)
    elif len(digits) > 30:
        value = _BEYOND_ALL
    else:
        value = int(digits)
    return -value if text[0] == "-" else value


def _no_integer(scalar: Scalar, low: int, high: int) -> RefusedError:
    number = _number_meant(scalar)
    message = f"expected an integer, found `{_shown(scalar)}`"
    if number is not None and number == int(number) and low <= number <= high:
        return RefusedError("wrong-type", message, str(int(number)), int(number))
    if re.fullmatch(r"-?0[0-9]+", scalar.text):
        message = f"`{scalar.text}` begins with 0, so it is octal, and 8 and 9 are no octal digits"
    return RefusedError("wrong-type", message)


def _float(scalar: Scalar) -> float:
    value = _double(scalar)
    if FLOAT_MAX < abs(value) <= _FLOAT_MAX_ROUNDED:
        return FLOAT_MAX if value > 0 else -FLOAT_MAX
    return value


def _double(scalar: Scalar) -> float:
    text = scalar.text
    if scalar.kind is Kind.NUMBER:
        digits = text.lstrip("-")
        if digits[:2] in ("0x", "0X"):
            value = float(max(-_BEYOND_ALL, min(_plain_integer(text), _BEYOND_ALL)))
            message = f"expected a decimal number, found the hexadecimal `{text}`"
            raise RefusedError("wrong-type", message, f"{value:.0f}", value)
        if digits[:1] == "0" and digits[1:2].isdigit():
            message = f"expected a decimal number, found `{text}`, which is octal; write no 0 in front"
            raise RefusedError("wrong-type", message)
        return float(text.rstrip("fF"))
    if scalar.kind is Kind.IDENTIFIER and text.lstrip("-").lower() in ("inf", "infinity", "nan"):
        return float(text)
    number = _number_meant(scalar)
    fixed = None if number is None else f"{number:g}" if float(f"{number:g}") == number else repr(number)
    raise RefusedError("wrong-type", f"expected a number, found `{_shown(scalar)}`", fixed, number)


def _number_meant(scalar: Scalar) -> float | None:
    """The number in quotes, with a `+`, with `_` between digits or with a foreign suffix."""
    written = scalar.string.decode("utf-8", "replace") if scalar.kind is Kind.STRING else scalar.text
    written = written.strip()
    if not _DECIMAL.fullmatch(written) or (written[-1:].isalpha() and written[-1] not in "fFdDlLuU"):
        return None
    digits = written.rstrip("fFdDlLuU").replace("_", "").lstrip("+-")
    if len(digits) > 1 and digits[0] == "0" and digits[1].isdigit() and "." not in digits:
        return None
    number = float(digits)
    if number == float("inf"):
        return None
    return -number if written[0] == "-" else number


def _bool(scalar: Scalar) -> bool:
    text = scalar.text
    if scalar.kind is Kind.IDENTIFIER:
        if text in _TRUE:
            return True
        if text in _FALSE:
            return False
    elif scalar.kind is Kind.NUMBER and text[0] != "-" and _INTEGER.fullmatch(text):
        value = _plain_integer(text)
        if value <= 1:
            return bool(value)
    written = scalar.string.decode("utf-8", "replace") if scalar.kind is Kind.STRING else text
    message = f"expected `true` or `false`, found `{_shown(scalar)}`"
    word = written.strip().lower()
    if word in _WORDS_FOR_TRUE or word == "1":
        raise RefusedError("wrong-type", message, "true", True)
    if word in _WORDS_FOR_FALSE or word == "0":
        raise RefusedError("wrong-type", message, "false", False)
    raise RefusedError("wrong-type", message)


def _enum(enum: EnumDescriptor) -> Convert:
    by_name = {value.name: value.number for value in enum.values}
    numbers = frozenset(by_name.values())

    def convert(scalar: Scalar) -> int:
        if scalar.kind is Kind.IDENTIFIER:
            number = by_name.get(scalar.text)
            if number is not None:
                return number
        elif scalar.kind is Kind.NUMBER and _INTEGER.fullmatch(scalar.text):
            value = _plain_integer(scalar.text)
            if value in numbers:
                return value
            if not -(2**31) <= value < 2**31:
                raise RefusedError("integer-out-of-range", f"`{_shown(scalar)}` is no number of the enum")
        raise _no_enum(scalar, by_name)

    return convert


def _no_enum(scalar: Scalar, by_name: dict[str, int]) -> RefusedError:
    written = scalar.string.decode("utf-8", "replace") if scalar.kind is Kind.STRING else scalar.text
    meant = next((name for name in by_name if _same_letters(name, written)), None)
    shown = _shown(scalar)
    if meant is not None:
        if scalar.kind is Kind.STRING:
            message = f"expected a name without quotes, found `{shown}`; write `{meant}`"
            return RefusedError("wrong-type", message, meant, by_name[meant])
        message = f"has no value `{shown}`; write `{meant}`"
        return RefusedError("unknown-enum-value", message, meant, by_name[meant])
    kind = "wrong-type" if scalar.kind is Kind.STRING else "unknown-enum-value"
    return RefusedError(kind, f"has no value `{shown}`; write {_legal(written, by_name)}")


def _legal(written: str, by_name: dict[str, int]) -> str:
    """The values of an enum that BVLC Caffe has; of many, the nearest, if some come near."""
    own = [name for name, number in by_name.items() if number < FIRST_FORK_NUMBER]
    if len(own) > 6:
        from nanlint.schema.suggest import nearest

        near = nearest(written, tuple(by_name))
        if not near:
            return f"one of {', '.join(own)}"
        own = list(near)
    return " or ".join(f"`{name}`" for name in own)


def _same_letters(one: str, other: str) -> bool:
    return one.lower().replace("_", "") == other.strip().lower().replace("_", "")


def _string(scalar: Scalar) -> str:
    """Bytes that are not UTF-8 read `\\xff` here, as a Python message cannot hold them; the tree can."""
    if scalar.kind is Kind.STRING:
        return scalar.string.decode("utf-8", "backslashreplace")
    raise _unquoted(scalar, encoded(scalar.text).decode("utf-8", "backslashreplace"))


def _bytes(scalar: Scalar) -> bytes:
    if scalar.kind is Kind.STRING:
        return scalar.string
    raise _unquoted(scalar, encoded(scalar.text))


def _unquoted(scalar: Scalar, meant: str | bytes) -> RefusedError:
    text = scalar.text.replace("\\", "\\\\")
    return RefusedError("wrong-type", f"expected a string in quotes, found `{_shown(scalar)}`", f'"{text}"', meant)


def _shown(scalar: Scalar) -> str:
    return scalar.text if len(scalar.text) <= 60 else scalar.text[:57] + "..."
