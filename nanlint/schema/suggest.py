"""What the author of an unknown name may have meant, and where in the schema that name does exist."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from nanlint.schema.descriptors import descriptor
from nanlint.schema.forks import FIRST_FORK_NUMBER

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, FieldDescriptor

_SYNONYMS = {
    "FillerParameter": {"stddev": "std", "sigma": "std", "const": "value", "constant": "value"},
    "ParamSpec": {
        "lr": "lr_mult",
        "blobs_lr": "lr_mult",
        "weight_decay": "decay_mult",
        "decay": "decay_mult",
    },
    "LayerParameter": {"input": "bottom", "output": "top"},
    "SolverParameter": {"learning_rate": "base_lr", "lr": "base_lr", "iter_step": "iter_size"},
    "ConvolutionParameter": {"filters": "num_output", "padding": "pad"},
    "PoolingParameter": {"method": "pool", "padding": "pad"},
    "DropoutParameter": {"ratio": "dropout_ratio"},
}
"""Names that look nothing like what they stand for."""

_V1 = "it belongs to the V1 format (`layers`); "
_OTHER_FORMAT = {
    ("LayerParameter", "blobs_lr"): _V1 + "write `param { lr_mult: ... }`",
    ("LayerParameter", "weight_decay"): _V1 + "write `param { decay_mult: ... }`",
    ("LayerParameter", "blob_share_mode"): _V1 + "write `param { share_mode: ... }`",
    ("V1LayerParameter", "phase"): "the V1 format (`layers`) has none; write `include { phase: ... }`",
    ("V1LayerParameter", "propagate_down"): "the V1 format (`layers`) has none, only `layer` has",
}


_OTHER_SHAPE = {
    ("V1LayerParameter", "param"): "; in the V1 format (`layers`) rates stand in `blobs_lr` and `weight_decay`",
    ("LayerParameter", "param"): "; write `param { name: ... }` to share it",
}


_LONGEST = 100
"""Letters of a word that is compared: no name of Caffe's is half as long."""


class Suggestion(NamedTuple):
    """`names`: the nearest fields, best first. `sure`: the first is what was meant, without a doubt."""

    names: tuple[str, ...]
    sure: bool


def nearest(written: str, names: Iterable[str]) -> tuple[str, ...]:
    """Up to three of `names` that a slip of the keyboard, or of memory, turns into `written`; best first."""
    return _nearest(written, [_Spelling.of(name) for name in names])


def _nearest(written: str, names: Iterable[_Spelling]) -> tuple[str, ...]:
    word = _Spelling.of(written)
    limit = _slips(_plain(written.removesuffix("_param")))
    if len(word.plain) > _LONGEST:
        return ()
    close = sorted((apart, one.name) for one in names if (apart := _apart(word, one, limit)) <= limit)
    return tuple(name for apart, name in close[:3] if apart == close[0][0])


class _Spelling(NamedTuple):
    """A name without what slips leave alone; `stem`: also without `param`, which does not make two names alike."""

    name: str
    plain: str
    stem: str
    letters: frozenset[str]

    @classmethod
    def of(cls, name: str) -> _Spelling:
        plain = _plain(name)
        return cls(name, plain, plain.removesuffix("param") if name.endswith("_param") else "", frozenset(plain))


def _apart(one: _Spelling, other: _Spelling, limit: int) -> int:
    """How many slips lie between two names; more than `limit` counts as one more than that."""
    if abs(len(one.plain) - len(other.plain)) > limit or len(one.letters ^ other.letters) > 2 * limit:
        return limit + 1
    if one.stem and other.stem:
        return distance(one.stem, other.stem, limit)
    return distance(one.plain, other.plain, limit)


def _slips(word: str) -> int:
    """How many letters may be wrong in a word of this length for it to be the same word."""
    return 1 if len(word) < 6 else 2 if len(word) < 12 else 3


@lru_cache(maxsize=1024)
def suggest_field(message: Descriptor, written: str) -> Suggestion:
    """The fields of `message` that may be meant by a name that it does not have."""
    synonym = _SYNONYMS.get(message.name, {}).get(written.lower())
    if synonym:
        return Suggestion((synonym,), True)
    bvlc, forks = _names(message)
    own = _among(written, bvlc)
    if own.names:
        return own
    return Suggestion(_among(written, tuple(name for name in forks if name.name != written)).names, False)


@cache
def _names(message: Descriptor) -> tuple[tuple[_Spelling, ...], tuple[_Spelling, ...]]:
    """The names of the fields that BVLC Caffe has, and of those that only forks have."""
    bvlc = tuple(_Spelling.of(field.name) for field in message.fields if not is_fork_field(field))
    return bvlc, tuple(_Spelling.of(field.name) for field in message.fields if is_fork_field(field))


def _among(written: str, names: tuple[_Spelling, ...]) -> Suggestion:
    word = _plain(written)
    spellings = (word, word + "param", word.removesuffix("s"), word + "s")
    same = [name.name for name in names if name.plain in spellings]
    if len(same) == 1:
        return Suggestion((same[0],), True)
    first_word = written.lower() + "_"
    longer = [name.name for name in names if name.name.startswith(first_word)]
    longer = [name for name in longer if not name.endswith(("_h", "_w"))]
    if len(longer) == 1 and len(word) > 3:
        return Suggestion((longer[0],), True)
    close = _nearest(written, names)
    return Suggestion(close, len(close) == 1 and len(word) > 3)


def other_format(field: FieldDescriptor) -> str:
    """What to say of a field that is a value in one format and a block in the other; "" of all else."""
    holder = field.containing_type
    return _OTHER_SHAPE.get((holder.name, field.name), "") if holder is not None else ""


@lru_cache(maxsize=1024)
def where_else(message: Descriptor, written: str, layer_type: str, forks: bool = True) -> str:
    """Where a name that `message` lacks does exist, as the end of a sentence; "" where nowhere.

    `layer_type` (`Convolution`) decides among several parameter blocks of a layer. With `forks`, a block that
    only forks have will do where BVLC Caffe has none.
    """
    if not written.isascii():
        return ""
    known = _OTHER_FORMAT.get((message.name, written))
    if known:
        return known
    if message.name == "LayerParameter" and written in ("layer", "layers"):
        return "a layer cannot stand inside a layer; is a `}` missing before it?"
    if message.name == "SolverParameter" and written in descriptor("NetParameter").fields_by_name:
        return 'it belongs to the net, a file of its own that the solver names: `net: "net.prototxt"`'
    holders = _holders(message, written, forks)
    own = [name for name in holders if layer_type and _plain(name) == _plain(layer_type) + "param"]
    if own or 0 < len(holders) <= 4:
        blocks = " or ".join(f"`{name}`" for name in own or holders)
        return f"it belongs inside {blocks}"
    if holders:
        return "it belongs inside one of the layer's parameter blocks"
    return _owner(message, written, forks)


def _holders(message: Descriptor, written: str, forks: bool) -> tuple[str, ...]:
    """The blocks in `message` that have a field of that name in BVLC Caffe; if none and `forks`, in forks."""
    bvlc, theirs = _held(message).get(written, ((), ()))
    return bvlc or (theirs if forks else ())


@cache
def _held(message: Descriptor) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Every name inside the blocks of a message, with the blocks that have it in BVLC Caffe, and in forks alone."""
    found: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    for field in message.fields:
        for held in field.message_type.fields if field.message_type is not None else ():
            bvlc, theirs = found.get(held.name, ((), ()))
            if is_fork_field(field) or is_fork_field(held):
                theirs = (*theirs, field.name)
            else:
                bvlc = (*bvlc, field.name)
            found[held.name] = bvlc, theirs
    return found


_OWNERS = (
    ("SolverParameter", "the solver"),
    ("NetParameter", "the net, outside its layers"),
    ("LayerParameter", "a `layer`"),
    ("TransformationParameter", "`transform_param`"),
    ("NetStateRule", "`include` or `exclude`"),
    ("ParamSpec", "`param`"),
)


def _owner(message: Descriptor, written: str, forks: bool) -> str:
    """A message elsewhere in the schema that has the field."""
    for name, what in _OWNERS:
        held = descriptor(name).fields_by_name.get(written)
        if name != message.name and held is not None and not is_fork_field(held):
            return f"it belongs to {what}"
    blocks = _holders(descriptor("LayerParameter"), written, forks)
    if 0 < len(blocks) <= 4:
        return "it belongs inside " + " or ".join(f"`{name}`" for name in blocks)
    return ""


def distance(a: str, b: str, limit: int) -> int:
    """Letters to insert, drop, change or swap to make `b` of `a`; `limit` + 1 when it takes more."""
    if abs(len(a) - len(b)) > limit:
        return limit + 1
    before: Sequence[int] = ()
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row = row, [i]
        for j, y in enumerate(b, 1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and y == a[i - 2]:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before = last
    return min(row[-1], limit + 1)


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def is_fork_field(field: FieldDescriptor) -> bool:
    """Whether only forks of Caffe have the field: the schema numbers those from 100000."""
    return field.number >= FIRST_FORK_NUMBER
