"""What the caller knows and the files do not say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nanlint.caffe.model import Shape
from nanlint.schema.dialect import Dialect


@dataclass(frozen=True)
class Options:
    """How files are read and nets are built.

    dialect: which Caffe will run the files.
    roots: more places where the paths in a solver are looked up.
    inputs: shapes of blobs that depend on data which the files do not show, by blob name.
    """

    dialect: Dialect = Dialect.ANY
    roots: tuple[str, ...] = ()
    inputs: Mapping[str, Shape] = field(default_factory=dict)

    @property
    def pinned(self) -> bool:
        """Whether exactly BVLC Caffe 1.0 will run the files."""
        return self.dialect is Dialect.BVLC

    def lacks_type(self, layer_type: str) -> bool:
        """Whether the fork that will run the files has no such layer type, as far as its sources say."""
        return self.dialect.pinned and not self.pinned and not self.dialect.has_type(layer_type)
