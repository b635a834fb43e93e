"""The binary files of a case, made from lines such as `data: 40x1x28x28 = 0..255`.

Each line names an array or more: SHAPE [TYPE] [= VALUES], separated by commas. Values are numbers, ranges of
whole numbers (0..9), `nan` and `inf`, repeated until the array is full; without them it is full of zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle, islice
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

from nanlint.schema.descriptors import message_class

MAP_SIZE = 1 << 24


class Array(NamedTuple):
    """An array to be written: its shape, numpy's name of its type, its values in C order."""

    shape: tuple[int, ...]
    dtype: str
    values: tuple[float, ...]

    def numpy(self, dtype: str | None = None) -> Any:
        """As a numpy array, of another type if one is named."""
        import numpy

        return numpy.array(self.values, dtype or self.dtype or "float32").reshape(self.shape)


Arrays = dict[str, list[Array]]


def make(maker: str, text: str, path: Path) -> None:
    """Write one binary file or database. Raises ValueError for words that make none.

    `maker` is one of MAKERS, or a message of the schema, whose text format is then written as binary.
    """
    if maker in MAKERS:
        MAKERS[maker](arrays(text), path)
    elif maker == "hex":
        path.write_bytes(bytes.fromhex(text))
    else:
        path.write_bytes(_message(maker, text))


def arrays(text: str) -> Arrays:
    """The arrays of each name. Raises ValueError for a line that is not of the form."""
    found: Arrays = {}
    for line in text.splitlines():
        name, colon, words = line.partition(":")
        if not colon:
            raise ValueError(f"`{line}` is not of the form `data: 8x3x24x24 = 0..255`")
        found[name.strip()] = [_array(word) for word in words.split(",")]
    return found


def _array(words: str) -> Array:
    kind, _, values = words.partition("=")
    shape, _, dtype = kind.strip().partition(" ")
    sizes = tuple(int(size) for size in shape.split("x"))
    numbers = [number for word in values.split() for number in _numbers(word)] or [0.0]
    return Array(sizes, dtype.strip(), tuple(islice(cycle(numbers), prod(sizes))))


def _numbers(word: str) -> list[float]:
    low, dots, high = word.partition("..")
    return [float(n) for n in range(int(low), int(high) + 1)] if dots else [float(word)]


def _message(name: str, text: str) -> bytes:
    from google.protobuf import text_format

    try:
        return text_format.Parse(text, message_class(name)()).SerializeToString(deterministic=True)
    except KeyError as unknown:
        raise ValueError(f"`{name}` is neither a message nor one of {', '.join((*MAKERS, 'hex'))}") from unknown


def _caffemodel(layers: Arrays, path: Path) -> None:
    net: Any = message_class("NetParameter")()
    for name, blobs in layers.items():
        layer = net.layer.add(name=name)
        for blob in blobs:
            _fill(layer.blobs.add(), blob)
    path.write_bytes(net.SerializeToString(deterministic=True))


def _binaryproto(named: Arrays, path: Path) -> None:
    blob: Any = message_class("BlobProto")()
    _fill(blob, named["data"][0])
    path.write_bytes(blob.SerializeToString(deterministic=True))


def _fill(blob: Any, array: Array) -> None:
    blob.shape.dim.extend(array.shape)
    blob.data.extend(array.values)


def _hdf5(datasets: Arrays, path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        for name, (array, *_) in datasets.items():
            file.create_dataset(name, data=array.numpy())


def _image(named: Arrays, path: Path) -> None:
    from PIL import Image

    Image.fromarray(named["data"][0].numpy("uint8")).save(path)


def _lmdb(named: Arrays, path: Path) -> None:
    import lmdb

    with lmdb.open(str(path), map_size=MAP_SIZE) as database, database.begin(write=True) as transaction:
        for key, value in _records(named):
            transaction.put(key, value)
    (path / "lock.mdb").unlink()


def _leveldb(named: Arrays, path: Path) -> None:
    import plyvel

    with plyvel.DB(str(path), create_if_missing=True) as database:
        for key, value in _records(named):
            database.put(key, value)


def _records(named: Arrays) -> Iterator[tuple[bytes, bytes]]:
    """Keys and Datums: of `data` (bytes), `float_data`, `encoded` (PNG) or `broken` (PNG that is cut), one each first
    index, with `label`, and `size` where a record is to claim another than it has. With `boxes` they are
    AnnotatedDatums with one box each of that label, -1 for none.
    """
    kind = next(name for name in ("data", "float_data", "encoded", "broken") if name in named)
    labels = [int(value) for value in _values(named, "label")]
    boxes = [int(value) for value in _values(named, "boxes")]
    sizes = named["size"][0].numpy("int32").tolist() if "size" in named else []
    items = [item for array in named[kind] for item in array.numpy("float32" if kind == "float_data" else "uint8")]
    for i, item in enumerate(items):
        datum: Any = message_class("Datum")()
        if labels:
            datum.label = labels[i % len(labels)]
        if kind in ("encoded", "broken"):
            image = _png(item)
            datum.data, datum.encoded = image if kind == "encoded" else image[: len(image) // 2], True
        else:
            datum.channels, datum.height, datum.width = sizes[i] if sizes else item.shape
            if kind == "data":
                datum.data = item.tobytes()
            else:
                datum.float_data.extend(item.ravel().tolist())
        value = datum.SerializeToString(deterministic=True)
        yield b"%08d" % i, _annotated(value, boxes[i % len(boxes)]) if boxes else value


def _values(named: Arrays, name: str) -> list[float]:
    return [value for array in named.get(name, []) for value in array.values]


def _annotated(datum: bytes, label: int) -> bytes:
    """An AnnotatedDatum of SSD's Caffe with one box in the middle, or none."""
    from nanlint.data.messages import message

    whole = message("AnnotatedDatum")(type=0)
    whole.datum.ParseFromString(datum)
    if label >= 0:
        box = whole.annotation_group.add(group_label=label).annotation.add().bbox
        box.xmin, box.ymin, box.xmax, box.ymax = 0.25, 0.25, 0.75, 0.75
    written: bytes = whole.SerializeToString(deterministic=True)
    return written


def _png(item: Any) -> bytes:
    from io import BytesIO

    from PIL import Image

    file = BytesIO()
    pixels = item.transpose(1, 2, 0)
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(file, "PNG")
    return file.getvalue()


MAKERS: dict[str, Callable[[Arrays, Path], None]] = {
    "caffemodel": _caffemodel,
    "binaryproto": _binaryproto,
    "hdf5": _hdf5,
    "image": _image,
    "lmdb": _lmdb,
    "leveldb": _leveldb,
}
