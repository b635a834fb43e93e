"""What can be written at a place: fields, values, layer types, blobs, files."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nanlint.analysis.schedule import POLICIES
from nanlint.caffe.fillers import FILLERS
from nanlint.caffe.layers import BVLC_TYPES
from nanlint.caffe.solver import TYPE_OF_ENUM
from nanlint.engine.place import message_type
from nanlint.schema.docs import comment
from nanlint.schema.forks import FIRST_FORK_NUMBER
from nanlint.schema.lookup import Described, described
from nanlint.schema.suggest import is_fork_field
from nanlint.schema.tables import table_of
from nanlint.server.names import Kind as NameKind
from nanlint.server.names import names
from nanlint.server.project import Project

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, FieldDescriptor

_VALUE = re.compile(r"(\w+)\s*:\s*(\"?)([^\"\s]*)$")
_WORD = re.compile(r"\w*$")
_PATHS = ("net", "train_net", "test_net", "source", "mean_file", "weights", "root_folder")
_MOST_FILES = 200


class What(Enum):
    FIELD = "field"
    VALUE = "value"
    TYPE = "type"
    BLOB = "blob"
    FILE = "file"


class Item(NamedTuple):
    """One proposal: what is shown, what is put in place of `start` to the caret, and what is said of it."""

    label: str
    text: str
    start: int
    what: What
    detail: str = ""
    documentation: str = ""
    less: bool = False


def complete(project: Project, path: str, offset: int) -> list[Item]:
    """Proposals for a caret; none where nothing sensible can be proposed."""
    document = project.document(path)
    if document is None:
        return []
    text = document.source.text
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    if "#" in line:
        return []
    root = message_type(project.kind(path))
    value = _VALUE.search(line)
    if value is None:
        start = offset - len(_WORD.findall(line)[0])
        message = described(document, root, start).message
        return list(_fields(message, start)) if message is not None else []
    at = described(document, root, offset - len(value.group()))
    field = at.message.fields_by_name.get(value.group(1)) if at.message is not None else None
    if field is None:
        return []
    quoted = value.group(2) == '"'
    start = offset - len(value.group(3))
    return [
        item._replace(text=item.text if quoted or not _is_string(field) else f'"{item.text}"', start=start)
        for item in _values(project, path, at, field)
        if _is_string(field) or not quoted
    ]


def _fields(message: Descriptor, start: int) -> Iterator[Item]:
    """The fields of a message; those of forks behind those that every Caffe has."""
    for known in table_of(message).fields.values():
        block = known.message is not None
        text = f"{known.name} {{ }}" if block else f"{known.name}: "
        named = known.message or known.enum
        detail = named.name if named is not None else ""
        words = comment(f"{message.name}.{known.name}")
        yield Item(known.name, text, start, What.FIELD, detail, words, is_fork_field(known.field))


def _values(project: Project, path: str, at: Described, field: FieldDescriptor) -> Iterator[Item]:
    holder = field.containing_type.name if field.containing_type is not None else ""
    if field.enum_type is not None:
        for one in field.enum_type.values:
            less = one.number >= FIRST_FORK_NUMBER
            yield Item(one.name, one.name, 0, What.VALUE, "", comment(f"{field.enum_type.name}.{one.name}"), less)
    elif field.type == field.TYPE_BOOL:
        yield from (Item(word, word, 0, What.VALUE) for word in ("true", "false"))
    elif (holder, field.name) in _WORDS:
        what = What.TYPE if holder == "LayerParameter" else What.VALUE
        yield from (Item(word, word, 0, what) for word in sorted(_WORDS[holder, field.name]))
    elif field.name in ("bottom", "top"):
        yield from _blobs(project, path, at)
    elif field.name in _PATHS:
        yield from _files(Path(path).parent, ".prototxt" if field.name.endswith("net") else "")


_WORDS: dict[tuple[str, str], Collection[str]] = {
    ("LayerParameter", "type"): BVLC_TYPES,
    ("SolverParameter", "type"): TYPE_OF_ENUM,
    ("SolverParameter", "lr_policy"): POLICIES,
    ("FillerParameter", "type"): FILLERS,
}


def _blobs(project: Project, path: str, at: Described) -> Iterator[Item]:
    """The blobs that are made above the caret, the nearest first."""
    document = project.document(path)
    field = at.spot.field
    if document is None or field is None:
        return
    above = [
        one.text for one in names(document) if one.kind is NameKind.BLOB and one.makes and one.value.end < field.start
    ]
    for name in dict.fromkeys(reversed(above)):
        yield Item(name, name, 0, What.BLOB)


def _files(folder: Path, ending: str) -> Iterator[Item]:
    """What lies beside the file, as a path in it is read from beside it."""
    try:
        found = sorted(one.name for one in folder.iterdir() if not one.name.startswith("."))
    except OSError:
        return
    yield from (Item(name, name, 0, What.FILE) for name in found[:_MOST_FILES] if name.endswith(ending))


def _is_string(field: FieldDescriptor) -> bool:
    return bool(field.type == field.TYPE_STRING)
