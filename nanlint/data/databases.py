"""Data and AnnotatedData: the records of an LMDB or LevelDB (data_layer.cpp, data_transformer.cpp)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from time import monotonic
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from nanlint.data.arrays import Array, spread_of
from nanlint.data.gather import Gathered
from nanlint.data.images import AS_STORED, COLOUR, GREY, MOST_BYTES, UndecodableError, decode
from nanlint.data.mean import subtracting
from nanlint.data.messages import message
from nanlint.data.request import Request
from nanlint.data.spread import Spread
from nanlint.data.stores import Store, StoreError, opened, spread_keys

_BATCH_RECORDS, _BATCH_BYTES = 256, 1 << 23
_PRINTED = 2048
"""Bytes at either end of a record's data that its fingerprint is taken of."""

Record = tuple[int, bytes, bytes]
"""Its number (-1: not known), its key, its value."""


def read(request: Request) -> Gathered:
    """One database, or a part of it."""
    got = Gathered.of(request)
    if request.annotated:
        got.boxes = Counter()
    try:
        with opened(request.kind, request.path) as store:
            got.records = store.records
            gatherer = _Gatherer(request, got)
            for record in _records(store, request, got):
                gatherer.take(record)
            gatherer.flush()
    except StoreError as wrong:
        got.fault(wrong.kind, wrong.words)
        got.whole = False
        got.refused = got.read == 0
    return got


def _records(store: Store, request: Request, got: Gathered) -> Iterator[Record]:
    deadline = None if request.seconds is None else monotonic() + request.seconds
    ends = store.ends()
    if ends is None:
        return
    for record in _chosen(store, request, got, ends):
        yield record
        if deadline is not None and monotonic() > deadline:
            got.whole = False
            return


def _chosen(store: Store, request: Request, got: Gathered, ends: tuple[bytes, bytes]) -> Iterator[Record]:
    if request.parts > 1:
        yield from _part(store, request, ends)
        return
    most = request.most
    if most is None:
        yield from ((index, key, value) for index, (key, value) in enumerate(store.walk()))
        return
    if store.records is None:
        head = list(islice(store.walk(), most + 1))
        if len(head) <= most:
            yield from ((index, key, value) for index, (key, value) in enumerate(head))
            return
    elif store.records <= most:
        yield from ((index, key, value) for index, (key, value) in enumerate(store.walk()))
        return
    got.whole = False
    seen = None
    for number, wanted in enumerate(spread_keys(ends, most)):
        for key, value in islice(store.walk(wanted), 1):
            if key != seen:
                yield (0 if number == 0 else -1), key, value
            seen = key


def _part(store: Store, request: Request, ends: tuple[bytes, bytes]) -> Iterator[Record]:
    """The records of one of the ranges into which keys evenly between the ends cut the store."""
    bounds = spread_keys(ends, request.parts + 1)
    start = None if request.part == 0 else bounds[request.part]
    stop = None if request.part == request.parts - 1 else bounds[request.part + 1]
    for index, (key, value) in enumerate(store.walk(start)):
        if stop is not None and key >= stop:
            return
        yield index, key, value


@dataclass
class _Batch:
    """Records of one shape and kind of number, to be counted together."""

    shape: tuple[int, ...] = ()
    dtype: Any = None
    rows: list[Array] = field(default_factory=list)


class _Gatherer:
    def __init__(self, request: Request, got: Gathered) -> None:
        transform = request.transform
        self.request, self.got = request, got
        self.datum, self.annotated = message("Datum"), message("AnnotatedDatum")
        self.wanted = COLOUR if transform.force_color else GREY if transform.force_gray else AS_STORED
        self.subtract = subtracting(transform)
        if self.subtract is not None and got.tops:
            got.tops[0].after = Spread()
        self.batch = _Batch()
        self.labels: list[float] = []

    def take(self, record: Record) -> None:
        """One record: its shape, its numbers, its label, what is wrong with it."""
        index, key, value = record
        got, where = self.got, f"key {_shown(key)}"
        got.read += 1
        try:
            parsed = self._parsed(value)
        except DecodeError:
            got.fault("not-a-datum", "it is no Datum", index, where)
            return
        if len(self.got.tops) > 1 and got.boxes is None:
            self.labels.append(float(parsed.label))
        try:
            numbers = self._numbers(parsed, index, where)
        except UndecodableError as wrong:
            got.fault("undecodable", str(wrong), index, where)
            return
        if self.request.prints:
            data = parsed.data or parsed.float_data[:256]
            got.printed(_print(data, len(value), parsed.label))
        if numbers is not None:
            self._add(numbers)

    def _parsed(self, value: bytes) -> Any:
        if not self.request.annotated:
            return self.datum.FromString(value)
        whole = self.annotated.FromString(value)
        boxes = self.got.boxes if self.got.boxes is not None else Counter()
        for group in whole.annotation_group:
            boxes[float(group.group_label)] += len(group.annotation)
        return whole.datum

    def _numbers(self, datum: Any, index: int, where: str) -> Array | None:
        """channels x height x width numbers; None where there are not as many as the record says."""
        got = self.got
        if datum.encoded:
            got.encoded += 1
            pixels, cut = decode(datum.data, self.wanted)
            if cut:
                got.fault("image-cut", "its image is cut, and the rest is grey", index, where)
            got.tops[0].dtype = got.tops[0].dtype or "uint8"
            got.shaped(pixels.shape, index)
            return pixels
        shape = datum.channels, datum.height, datum.width
        size = shape[0] * shape[1] * shape[2]
        held = len(datum.data) or len(datum.float_data)
        spelt = " x ".join(map(str, shape))
        if min(shape) < 1:
            got.fault("no-numbers", f"its size is {spelt}", index, where)
            return None
        if size * 4 > MOST_BYTES:
            got.fault("too-large", f"it claims {spelt} numbers and holds {held}", index, where)
            return None
        got.shaped(shape, index)
        if held != size:
            got.fault("size-mismatch", f"it claims {spelt} = {size} numbers and holds {held}", index, where)
            return None
        numbers: Array = (
            np.frombuffer(datum.data, dtype=np.uint8) if datum.data else np.array(datum.float_data, dtype=np.float32)
        )
        got.tops[0].dtype = got.tops[0].dtype or numbers.dtype.name
        if numbers.dtype != np.uint8 and not np.isfinite(numbers).all():
            value = numbers[~np.isfinite(numbers)][0]
            got.fault("non-finite", f"it holds {float(value):g}", index, where)
        return numbers.reshape(shape)

    def _add(self, numbers: Array) -> None:
        batch = self.batch
        if batch.rows and (numbers.shape != batch.shape or numbers.dtype != batch.dtype):
            self.flush()
        batch = self.batch
        batch.shape, batch.dtype = numbers.shape, numbers.dtype
        batch.rows.append(numbers)
        if len(batch.rows) >= _BATCH_RECORDS or len(batch.rows) * numbers.nbytes >= _BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Count what has been taken."""
        if self.labels:
            values = self.got.tops[1].values
            if values is not None:
                values.tally(Counter(self.labels))
                values.follow(self.labels)
            self.got.tops[1].shaped((), 0)
            self.labels = []
        batch, self.batch = self.batch, _Batch()
        if not batch.rows:
            return
        top, channels = self.got.tops[0], batch.shape[0]
        records = np.stack(batch.rows).reshape(len(batch.rows), -1)
        top.spread.add(spread_of(records, channels, top.values))
        if top.after is not None and self.subtract is not None:
            moved = self.subtract(records, batch.shape)
            if moved is None:
                top.after.channels = None
            else:
                top.after.add(spread_of(moved, channels))


def _print(data: Any, size: int, label: int) -> int:
    held = bytes(data) if isinstance(data, bytes) else np.array(data, dtype=np.float32).tobytes()
    ends = held[:_PRINTED] + held[-_PRINTED:]
    digest = hashlib.blake2b(ends + f"{size} {label}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _shown(key: bytes) -> str:
    return key.decode("ascii", "backslashreplace")[:80]
