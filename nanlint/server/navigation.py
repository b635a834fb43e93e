"""From a name to the places that have to do with it: what makes a blob, who reads it, what a solver names."""

from __future__ import annotations

import re
from typing import NamedTuple

from nanlint.caffe.named_files import find_net
from nanlint.engine.files import Kind as FileKind
from nanlint.server.names import Kind, Name, alike, name_at, names
from nanlint.server.project import Project
from nanlint.text.lookup import spot
from nanlint.text.source import Span

_NETS = ("net", "train_net", "test_net")
_PLAIN = re.compile(r"[^\x00-\x1f\"\\]+")


class Target(NamedTuple):
    """A place in a file."""

    path: str
    span: Span


class Renaming(NamedTuple):
    """The text to put in each place, or why it cannot be done."""

    spans: tuple[Span, ...]
    text: str
    refusal: str = ""


def definition(project: Project, path: str, offset: int) -> list[Target]:
    """Where a blob that is read was made, in each phase; the file that a solver names."""
    document = project.document(path)
    if document is None:
        return []
    if project.kind(path) is FileKind.SOLVER:
        return _net_file(project, path, offset)
    name = name_at(document, offset)
    if name is None:
        return []
    if name.kind is Kind.BLOB and not name.makes:
        made = {
            (blob.made_at.source.path, blob.made_at.span): None
            for layer in project.layers(path, name.layer)
            for blob in layer.bottoms
            if blob.name == name.text and blob.made_at.source.text == document.source.text
        }
        if made:
            return [Target(file, span) for file, span in made]
    before = [one for one in alike(document, name) if one.makes and one.value.start <= name.value.start]
    makers = before or [one for one in alike(document, name) if one.makes]
    if name.kind is not Kind.BLOB:
        makers = makers[:1]
    return [Target(path, _span(one)) for one in makers[-1:]]


def references(project: Project, path: str, offset: int) -> list[Name]:
    """Every place of the name at an offset: tops first made, in the order written."""
    document = project.document(path)
    name = name_at(document, offset) if document is not None else None
    return alike(document, name) if document is not None and name is not None else []


def rename(project: Project, path: str, offset: int, text: str) -> Renaming | None:
    """A blob, layer or shared parameter under another name, everywhere in its file; None where no name stands.

    Weights are found by the names of layers: a layer that is renamed no longer gets those of a snapshot.
    """
    document = project.document(path)
    name = name_at(document, offset) if document is not None else None
    if document is None or name is None:
        return None
    if not _PLAIN.fullmatch(text):
        return Renaming((), text, "a name is at least one character, without quotes, backslashes and line breaks")
    if any(one.kind is name.kind and one.text == text for one in names(document)) and text != name.text:
        return Renaming((), text, f"there is a {name.kind.value} `{text}` already")
    return Renaming(tuple(_span(one) for one in alike(document, name)), f'"{text}"')


def _net_file(project: Project, path: str, offset: int) -> list[Target]:
    document = project.document(path)
    found = spot(document, offset) if document is not None else None
    if found is None or found.field is None or found.field.name not in _NETS or found.value is None:
        return []
    written = found.value.string.decode("utf-8", "surrogateescape")
    net = find_net(written, path, (), lambda one: one in project.texts)
    return [Target(net, Span(0, 0))] if net is not None else []


def _span(name: Name) -> Span:
    return Span(name.value.start, name.value.end)
