"""Which Caffe will read the files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from google.protobuf.descriptor import EnumValueDescriptor, FieldDescriptor


@dataclass(frozen=True)
class Dialect:
    """ANY: whatever a known fork accepts is accepted. BVLC: exactly BVLC Caffe 1.0. Else one fork by name."""

    name: str

    any_type: ClassVar[bool] = False
    """Whether a layer type that nobody knows may be one of this Caffe's."""
    ANY: ClassVar[Dialect]
    BVLC: ClassVar[Dialect]

    @classmethod
    def named(cls, name: str) -> Dialect:
        """The dialect of a fork's nickname or repository (`ssd`, `weiliu89/caffe`), or `bvlc`, or `any`.

        Raises ValueError, with the nicknames in question, for a name that no known fork has.
        """
        wanted = name.strip().lower()
        for fixed in (cls.ANY, cls.BVLC):
            if wanted == fixed.name:
                return fixed
        from nanlint.schema.fork_names import REPOSITORIES

        for nickname, repository in REPOSITORIES.items():
            if wanted in (nickname, repository.lower()):
                return cls(nickname)
        from nanlint.schema.suggest import nearest

        close = nearest(wanted, (*REPOSITORIES, cls.BVLC.name))
        hint = f"did you mean {' or '.join(close)}?" if close else f"there are bvlc, {', '.join(REPOSITORIES)}"
        raise ValueError(f"no known Caffe is called `{name}`; {hint}")

    @property
    def pinned(self) -> bool:
        """Whether one Caffe alone will read the files."""
        return self is not Dialect.ANY and self.name != Dialect.ANY.name

    @property
    def exact(self) -> bool:
        """Whether what is known of this Caffe is all of it: a fork may have moved on."""
        return self.name == Dialect.BVLC.name

    def has(self, declared: FieldDescriptor | EnumValueDescriptor) -> bool:
        """Whether this Caffe knows a field or an enum value."""
        from nanlint.schema.forks import FIRST_FORK_NUMBER, readers

        if self.name == Dialect.ANY.name:
            return True
        if self.name == Dialect.BVLC.name:
            return declared.number < FIRST_FORK_NUMBER
        return self.name in readers(declared)

    def has_type(self, layer_type: str) -> bool:
        """Whether this Caffe may have a layer type, as far as the sources of BVLC and the known forks say."""
        from nanlint.schema.forks import forks_with_type, type_readers

        if self.name == Dialect.ANY.name:
            return True
        if self.name == Dialect.BVLC.name:
            return not forks_with_type(layer_type)
        return self.name in type_readers(layer_type)

    def repeats(self, declared: FieldDescriptor) -> bool:
        """Whether this Caffe may take several values for a field that takes one in BVLC Caffe."""
        from nanlint.schema.forks import forks_repeating

        return self._among(forks_repeating(declared))

    def other_types(self, declared: FieldDescriptor) -> tuple[str, ...]:
        """The scalar types, by name, that this Caffe may give a field in place of the schema's."""
        from nanlint.schema.forks import variants

        return tuple(kind for kind, forks in variants(declared).items() if self._among(forks))

    def _among(self, forks: frozenset[str]) -> bool:
        return bool(forks) if self.name == Dialect.ANY.name else self.name in forks


Dialect.ANY = Dialect("any")
Dialect.BVLC = Dialect("bvlc")
