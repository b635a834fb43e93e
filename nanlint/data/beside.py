"""What lies beside the nets of a file: each source with the layer or solver that names it, and its account."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from nanlint.data import asked
from nanlint.data.places import Places
from nanlint.data.records import ABSENT, Account, Channel, Fed, Top, Weights
from nanlint.data.request import Request
from nanlint.data.session import FULL

if TYPE_CHECKING:
    from nanlint.caffe.model import Layer, Net, Shape, Solver
    from nanlint.data.session import Session
    from nanlint.schema.caffe_pb2 import LayerParameter
    from nanlint.text.source import Place

_STATE = re.compile(r"_iter_(\d+)\.solverstate(\.h5)?$")


@dataclass(frozen=True, eq=False)
class Source:
    """One source. `name`: as it is written, at `route` of the layer, or of the solver where there is none.

    `given`: the call names it, and no file does. `data`: of a mean, the source from which it is taken.
    """

    name: str
    route: str
    account: Account
    layer: Layer | None = None
    net: Net | None = None
    solver: Solver | None = None
    given: bool = False
    data: Source | None = None

    def at(self, route: str | None = None) -> Place:
        """The place of a field of what names the source; without one, of the field that does."""
        where = self.route if route is None else route
        if self.layer is not None:
            return self.layer.at(where)
        assert self.solver is not None
        return self.solver.at("" if self.given else where)

    @property
    def kind(self) -> str:
        return self.account.kind

    @property
    def phase(self) -> str | None:
        return self.net.phase if self.net is not None else None

    @property
    def tops(self) -> tuple[Top, ...]:
        return self.account.tops

    @property
    def batch(self) -> int:
        """The batch size of the layer; 0 where there is none."""
        return asked.batch_size(self.layer.param) if self.layer is not None else 0


@dataclass(frozen=True, eq=False)
class Beside:
    """Everything beside one solver or net."""

    sources: tuple[Source, ...]
    solver: Solver | None
    nets: Sequence[Net]
    places: Places | None = None

    def finds(self, name: str) -> bool:
        """Whether a name leads to a file or folder, looked up as the sources are."""
        return self.places is not None and self.places.find(name) is not None

    def fed(self, net: Net) -> dict[str, Fed]:
        """What the data layers of a net hand to their tops, by the names of these."""
        return {name: fed for source in self.sources if source.net is net for name, fed in _fed(source)}

    @property
    def loaded(self) -> frozenset[str]:
        """The names of the layers that a weights file holds blobs of."""
        files = (one.account.content for one in self.sources if isinstance(one.account.content, Weights))
        return frozenset(layer.name for content in files for layer in content.layers if layer.blobs)

    @cached_property
    def data(self) -> tuple[Source, ...]:
        """The sources of data layers that are there."""
        return tuple(
            one for one in self.sources if one.layer is not None and one.kind in DATA and one.account.state != ABSENT
        )


DATA = ("lmdb", "leveldb", "hdf5", "images", "windows")


class Known:
    """The shapes that data layers have by what they read, for whoever builds the net."""

    def __init__(self, session: Session, solver: str | None, roots: tuple[str, ...]) -> None:
        self._session, self._solver, self._roots = session, solver, roots

    def shapes(self, param: LayerParameter, net: str) -> Mapping[str, Shape]:
        """The shapes of a layer's tops by their names, where its data is there and shows them."""
        if not asked.source_name(param):
            return {}
        wanted = asked.request(param, self.places(net))
        return {} if wanted is None else asked.shapes(param, self._session.account(wanted))

    def places(self, net: str) -> Places:
        """Where the names in a net lead."""
        return Places((net, self._solver) if self._solver else (net,), self._roots)

    def beside(self, nets: Sequence[Net], solver: Solver | None, weights: Sequence[str] = ()) -> Beside:
        """The sources of nets in their order, then those of the solver. `weights`: files that the call names."""
        found = [source for net in nets for source in self._of_net(net, solver)]
        if solver is not None:
            found += self._weights(solver, weights)
            if self._session.mode == FULL:  # an ordinary check looks at states by itself
                found += self._snapshot(solver)
        return Beside(tuple(found), solver, nets, self.places(solver.path if solver is not None else ""))

    def _of_net(self, net: Net, solver: Solver | None) -> Iterator[Source]:
        places = self.places(net.path)
        for layer in net.layers:
            param = layer.param
            name = asked.source_name(param)
            data = None
            if name:
                wanted = asked.request(param, places)
                kind = asked.kind(param)
                account = self._session.account(wanted) if wanted is not None else Account(kind, "", ABSENT)
                data = Source(name, f"{asked.BLOCKS[param.type]}.source", account, layer, net, solver)
                yield data
            if param.transform_param.HasField("mean_file") and param.type != "HDF5Data":
                mean = param.transform_param.mean_file
                account = self._file("mean", mean, places)
                yield Source(mean, "transform_param.mean_file", account, layer, net, solver, data=data)
            if param.type == "InfogainLoss" and param.infogain_loss_param.source:
                matrix = param.infogain_loss_param.source
                account = self._file("matrix", matrix, places)
                yield Source(matrix, "infogain_loss_param.source", account, layer, net, solver)

    def _file(self, kind: str, name: str, places: Places) -> Account:
        found = places.find(name)
        if found is None:
            return Account(kind, "", ABSENT)
        return self._session.account(Request(kind, found.path, found.root, (kind,), frozenset()))

    def _weights(self, solver: Solver, given: Sequence[str]) -> Iterator[Source]:
        """The files of `weights`, as Caffe splits their names, or those of the call in their place."""
        written = [(f"weights[{index}]", names) for index, names in enumerate(solver.param.weights)]
        for route, names in [("", names) for names in given] or written:
            for name in names.split(","):
                if name.strip():
                    account = self._file("weights", name.strip(), self.places(solver.path))
                    yield Source(name.strip(), route, account, solver=solver, given=bool(given))

    def _snapshot(self, solver: Solver) -> Iterator[Source]:
        """The last state of those that lie under the solver's own prefix, from which a run would go on."""
        prefix = solver.param.snapshot_prefix
        if not prefix or "\0" in prefix:
            return
        states = []
        for folder in {Path(prefix).parent, Path(solver.path).parent / Path(prefix).parent}:
            try:
                names = [one.name for one in folder.iterdir() if one.name.startswith(Path(prefix).name)]
            except OSError:
                continue
            states += [(int(found[1]), str(folder / name)) for name in names if (found := _STATE.search(name))]
        if states:
            path = max(states)[1]
            whole = str(Path(path).absolute())
            account = self._session.account(Request("snapshot", whole, "", ("history",), frozenset()))
            yield Source(path, "snapshot_prefix", account, solver=solver)


def _fed(source: Source) -> Iterator[tuple[str, Fed]]:
    """What a source hands to each top of its layer, where its numbers are known after the transformation."""
    account, layer = source.account, source.layer
    if layer is None or source.kind not in DATA:
        return
    for index, (top, blob) in enumerate(zip(account.tops, layer.tops, strict=False)):
        shape = blob.shape
        if shape is None or None in shape:
            continue
        channels = top.after if top.after is not None else None
        whole = account.whole and not account.counted.get("undecodable")
        yield (
            blob.name,
            Fed(
                tuple(size or 0 for size in shape),
                channels,
                account.read,
                whole,
                top.zero_rows,
                top.nonfinite,
                _labels(top.values) if index else None,
            ),
        )


def _labels(values: Mapping[float, int] | None) -> Channel | None:
    """Labels as one channel, from how often each stands there."""
    finite = {value: times for value, times in (values or {}).items() if math.isfinite(value)}
    number = sum(finite.values())
    if not number:
        return None
    mean = sum(value * times for value, times in finite.items()) / number
    variance = sum((value - mean) ** 2 * times for value, times in finite.items()) / number
    return Channel(number, min(finite), max(finite), mean, math.sqrt(variance))
