"""The first remedy of a message, where it is a field to write, as an edit: ``write `stepsize: 1000` ``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from nanlint.caffe.edits import written
from nanlint.engine.load import Loaded
from nanlint.findings import Applicability, Finding, Fix
from nanlint.schema.descriptors import descriptor

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor

    from nanlint.schema.bind import Bound

_VALUE = r'-?[\d.][\w.+-]*|"[^"`]*"|[A-Z][A-Z_0-9]*|true|false'
_FIELD = re.compile(rf"write `([a-z]\w*): ({_VALUE})`")
_BLOCK = re.compile(rf"write `([a-z]\w*) \{{ ([a-z]\w*): ({_VALUE}) \}}`")
LEAST = 1e-10
_INDEX = re.compile(r"\[\d+\]$")


def with_told_fixes(findings: Iterable[Finding], loaded: Sequence[Loaded]) -> Iterator[Finding]:
    """The findings, those without a fix that say which field to write with that as an edit that needs a look."""
    bounds = {bound.source.path: bound for one in loaded for bound in one.bounds}
    for finding in findings:
        bound = bounds.get(finding.place.source.path)
        if finding.fix is None and finding.severity.rank and bound is not None and "write `" in finding.message:
            yield finding._replace(fix=_told(finding, bound))
        else:
            yield finding


def _told(finding: Finding, bound: Bound) -> Fix | None:
    remedy = finding.message.rpartition("; ")[2]
    field, block = _FIELD.match(remedy), _BLOCK.match(remedy)
    if field is not None:
        names, value = [field[1]], field[2]
    elif block is not None:
        names, value = [block[1], block[2]], block[3]
    else:
        return None
    route = _route(bound, finding.place.route, names)
    if route is None or _is_next_to_nothing(value):
        return None
    edit = written(bound, route, value)
    return Fix((field or block or [""])[0], (edit,), Applicability.UNSAFE)


def _is_next_to_nothing(value: str) -> bool:
    """Whether a number is so small that writing it mends nothing."""
    try:
        return 0 < abs(float(value)) < LEAST
    except ValueError:
        return False


def _route(bound: Bound, place: str, names: list[str]) -> str | None:
    """Where the field is, or would be: at the finding's own place, or in the nearest block around it that takes it."""
    parts = place.split(".") if place else []
    if parts and len(names) == 1 and _INDEX.sub("", parts[-1]) == names[0]:
        return place
    for depth in range(len(parts), -1, -1):
        message = _message(descriptor(bound.type_name), parts[:depth])
        first = message.fields_by_name.get(names[0]) if message is not None else None
        if first is None:
            continue
        inner = first.message_type.fields_by_name if first.message_type is not None else {}
        if names[1] in inner if len(names) > 1 else first.message_type is None:
            block = ".".join([*parts[:depth], names[0]])
            foreign = names[0].endswith("_param") and bound.node(block) is None  # of another layer, perhaps
            return None if foreign else ".".join([*parts[:depth], *names])
    return None


def _message(root: Descriptor, parts: Sequence[str]) -> Descriptor | None:
    """The message at a route; None where a part is none."""
    for part in parts:
        field = root.fields_by_name.get(_INDEX.sub("", part))
        if field is None or field.message_type is None:
            return None
        root = field.message_type
    return root
