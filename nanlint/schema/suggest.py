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


class Suggestion(NamedTuple):
    """`names`: the nearest fields, best first. `sure`: the first is what was meant, without a doubt."""

    names: tuple[str, ...]
    sure: bool


def nearest(written: str, names: Iterable[str]) -> tuple[str, ...]:
    """Up to three of `names` that a slip of the keyboard, or of memory, turns into `written`; best first."""
    limit = _slips(_plain(written.removesuffix("_param")))
    ranked = sorted((_apart(written, name, limit), name) for name in names)
    close = [(apart, name) for apart, name in ranked if apart <= limit]
    return tuple(name for apart, name in close[:3] if apart == close[0][0])


def _apart(written: str, name: str, limit: int) -> int:
    """How many slips lie between two names; the `_param` that both may end with does not make them alike."""
    one, other = _plain(written), _plain(name)
    if written.endswith("_param") and name.endswith("_param"):
        one, other = one.removesuffix("param"), other.removesuffix("param")
    return distance(one, other, limit)


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
    return Suggestion(_among(written, tuple(name for name in forks if name != written)).names, False)


@cache
def _names(message: Descriptor) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the fields that BVLC Caffe has, and of those that only forks have."""
    bvlc = tuple(field.name for field in message.fields if not is_fork_field(field))
    return bvlc, tuple(field.name for field in message.fields if is_fork_field(field))


def _among(written: str, names: tuple[str, ...]) -> Suggestion:
    word = _plain(written)
    spellings = (word, word + "param", word.removesuffix("s"), word + "s")
    same = [name for name in names if _plain(name) in spellings]
    if len(same) == 1:
        return Suggestion((same[0],), True)
    first_word = written.lower() + "_"
    longer = [name for name in names if name.startswith(first_word) and not name.endswith(("_h", "_w"))]
    if len(longer) == 1 and len(word) > 3:
        return Suggestion((longer[0],), True)
    close = nearest(written, names)
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


@lru_cache(maxsize=1024)
def _holders(message: Descriptor, written: str, forks: bool) -> tuple[str, ...]:
    """The blocks in `message` that have a field of that name in BVLC Caffe; if none and `forks`, in forks."""
    bvlc: list[str] = []
    theirs: list[str] = []
    for field in message.fields:
        held = field.message_type.fields_by_name.get(written) if field.message_type is not None else None
        if held is not None:
            (theirs if is_fork_field(field) or is_fork_field(held) else bvlc).append(field.name)
    return tuple(bvlc or (theirs if forks else ()))


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
