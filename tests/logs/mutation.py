"""Logs as damage leaves them: cut, doubled, mixed, in other encodings, with hostile numbers and names."""

from __future__ import annotations

import random

_NUMBERS = (b"nan", b"-nan(ind)", b"1e999", b"-1", b"99999999999999999999", b"0", b"", b"1.#INF", b"3.4e38", b"\xff")
_NOISE = (
    b"\x00\x00",
    b"\x1b[31m",
    b"\r\n",
    b"Iteration 3, lo",
    b"F0101 00:00:00.000001 1 x.cpp:1] Check failed: ",
    b"[Forward] Layer , top blob  data: inf",
    b"layer {",
    b"}",
    b'name: "\xf0\x9f\x92\xa5',
    b"Initializing net from parameters: ",
    b"Initializing solver from parameters: ",
    b"Creating training net from net file: x",
    b"*** SIGSEGV (@0x0)",
)


def mutated(log: bytes, other: bytes, chance: random.Random) -> bytes:
    """A log with one to eight wounds; `other` is one to be mixed in."""
    data = bytearray(log)
    for _ in range(chance.randint(1, 8)):
        _WOUNDS[chance.randrange(len(_WOUNDS))](data, other, chance)
    if chance.random() < 0.05:
        return bytes(data).decode("latin-1").encode("utf-16")
    return bytes(data)


def _at(data: bytearray, chance: random.Random) -> int:
    return chance.randrange(len(data) + 1)


def _cut(data: bytearray, other: bytes, chance: random.Random) -> None:
    start = _at(data, chance)
    del data[start : start + chance.choice((1, 10, 1000, len(data)))]


def _doubled(data: bytearray, other: bytes, chance: random.Random) -> None:
    start = _at(data, chance)
    data[start:start] = data[start : start + chance.choice((10, 300, 5000))]


def _mixed(data: bytearray, other: bytes, chance: random.Random) -> None:
    start, begin = _at(data, chance), chance.randrange(len(other) + 1)
    data[start:start] = other[begin : begin + chance.choice((50, 3000, len(other)))]


def _noise(data: bytearray, other: bytes, chance: random.Random) -> None:
    start = _at(data, chance)
    data[start:start] = chance.choice(_NOISE)


def _number(data: bytearray, other: bytes, chance: random.Random) -> None:
    """Put another number in place of one."""
    start = _at(data, chance)
    while start < len(data) and data[start] not in b"0123456789":
        start += 1
    end = start
    while end < len(data) and data[end] in b"0123456789.e+-":
        end += 1
    data[start:end] = chance.choice(_NUMBERS)


def _flipped(data: bytearray, other: bytes, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 20))):
        if data:
            data[chance.randrange(len(data))] = chance.randrange(256)


def _shuffled(data: bytearray, other: bytes, chance: random.Random) -> None:
    lines = bytes(data).split(b"\n")
    start = chance.randrange(len(lines))
    part = lines[start : start + 30]
    chance.shuffle(part)
    lines[start : start + 30] = part
    data[:] = b"\n".join(lines)


_WOUNDS = (_cut, _doubled, _mixed, _noise, _noise, _number, _number, _flipped, _shuffled)
