"""Columns of numbers, packed: a log may hold millions."""

from __future__ import annotations

from array import array
from collections.abc import Iterator


class Series:
    """Values of one kind with the iteration of each, in file order."""

    def __init__(self) -> None:
        self.iterations = array("q")
        self.values = array("d")

    def __len__(self) -> int:
        return len(self.values)

    def add(self, iteration: int, value: float) -> None:
        self.iterations.append(iteration)
        self.values.append(value)

    def rows(self, start: int = 0, end: int | None = None) -> Iterator[tuple[int, float]]:
        return zip(self.iterations[start:end], self.values[start:end], strict=True)


class Outputs(Series):
    """Values of a net's outputs. With each: the test net, the output's index, and its name as a place in `names`."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.nets = array("l")
        self.indices = array("q")
        self.named = array("l")
        self._known: dict[str, int] = {}

    def put(self, iteration: int, index: int, name: str, value: float, net: int = 0) -> None:
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = len(self.names)
            self.names.append(name)
        self.add(iteration, value)
        self.nets.append(net)
        self.indices.append(index)
        self.named.append(known)

    def name(self, position: int) -> str:
        """The name of the output of a row."""
        return self.names[self.named[position]]
