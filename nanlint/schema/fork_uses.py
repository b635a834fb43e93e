"""What a file uses that BVLC Caffe lacks, noted while the file is bound to the schema."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from nanlint.schema.dialect import Dialect
from nanlint.schema.forks import forks_of, forks_repeating, in_words, name_of, readers
from nanlint.schema.values import Convert, RefusedError, Value, converter_of
from nanlint.text.source import Place
from nanlint.text.tree import Block, Scalar

if TYPE_CHECKING:
    from google.protobuf.descriptor import EnumValueDescriptor, FieldDescriptor


class ForkUse(NamedTuple):
    """Something that only forks read, at the place where the file uses it first."""

    what: str
    place: Place
    forks: frozenset[str]


class ForkUses:
    """Decides what a dialect reads beyond BVLC Caffe, and notes what a file uses of it.

    `repeats` has the values of a field that takes one value in BVLC Caffe and several in forks, by its
    route (`layer[3].pooling_param.kernel_size`): the message holds the first alone.
    """

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.bvlc = dialect == Dialect.BVLC
        self.one_fork = dialect.pinned and not self.bvlc
        self.found: dict[str, ForkUse] = {}
        self.repeats: dict[str, tuple[Value, ...]] = {}

    def refuses(self, declared: FieldDescriptor | EnumValueDescriptor, fork: bool) -> bool:
        """Whether the dialect lacks a field or enum value; `fork` says that BVLC Caffe does."""
        return fork if self.bvlc else self.one_fork and not self.dialect.has(declared)

    def whose(self, declared: FieldDescriptor | EnumValueDescriptor) -> str:
        """Who lacks a field or enum value and who has it, as the end of a sentence."""
        forks = in_words(readers(declared))
        if self.bvlc:
            return f"in BVLC Caffe; only forks have it: {forks}"
        return f"in `{self.dialect.name}`" + (f", but in {forks}" if forks else "")

    def note(self, declared: FieldDescriptor | EnumValueDescriptor, place: Callable[[], Place]) -> None:
        """Note the first use of a field or enum value that BVLC Caffe lacks."""
        if self.dialect.pinned:
            return
        name = name_of(declared)
        if name not in self.found:
            self.found[name] = ForkUse(f"`{declared.name}`", place(), forks_of(declared))

    def several(
        self,
        declared: FieldDescriptor,
        convert: Convert,
        first: Iterable[Scalar | Block],
        more: Iterable[Scalar | Block],
        place: Callable[[], Place],
    ) -> bool:
        """Whether forks take several values for a field; then those that it was given are noted.

        `first`: the values where the field stands first, `more`: those where it stands again.
        """
        if not self.dialect.repeats(declared):
            return False
        try:
            values = tuple(convert(node) for node in more if isinstance(node, Scalar))
            before = tuple(convert(node) for node in first if isinstance(node, Scalar))
        except RefusedError:
            return False
        where = place()
        self.repeats[where.route] = self.repeats.get(where.route, before) + values
        what = f"several values of `{declared.name}`"
        self.found.setdefault(name_of(declared) + "[]", ForkUse(what, where, forks_repeating(declared)))
        return True

    def as_other_type(self, declared: FieldDescriptor, scalar: Scalar) -> Value | None:
        """The value of a scalar that the field's own type refuses, where a fork gives the field a type
        that takes it."""
        for kind in self.dialect.other_types(declared):
            convert = converter_of(kind)
            if convert is not None:
                try:
                    value = convert(scalar)
                except RefusedError:
                    continue
                return int(value) if isinstance(value, bool) else value
        return None
