"""What the caller knows and the files do not say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from nanlint.caffe.model import Shape
from nanlint.schema.dialect import Dialect

if TYPE_CHECKING:
    from nanlint.schema.caffe_pb2 import LayerParameter


class Data(Protocol):
    """What is known of the data beside the nets."""

    def shapes(self, param: LayerParameter, net: str) -> Mapping[str, Shape]:
        """The shapes that the tops of a layer have by its data, by their names; `net` is the path of its net."""


@dataclass(frozen=True)
class Options:
    """How files are read and nets are built.

    dialect: which Caffe will run the files.
    roots: more places where the paths in a solver are looked up.
    inputs: shapes of blobs that depend on data which the files do not show, by blob name.
    data: what lies beside the nets, where that is read; it is surer than `inputs`.
    """

    dialect: Dialect = Dialect.ANY
    roots: tuple[str, ...] = ()
    inputs: Mapping[str, Shape] = field(default_factory=dict)
    data: Data | None = None

    @property
    def pinned(self) -> bool:
        """Whether exactly BVLC Caffe 1.0 will run the files."""
        return self.dialect is Dialect.BVLC

    def lacks_type(self, layer_type: str) -> bool:
        """Whether the fork that will run the files has no such layer type, as far as its sources say."""
        return self.dialect.pinned and not self.pinned and not self.dialect.has_type(layer_type)
