"""Old formats written in today's: the text of a file, with its comments and its order.

What Caffe does to the message each time that it reads the file (util/upgrade_proto.cpp) is done to the text once. V1
layers are edited where they stand; a V0 layer, whose fields all lie elsewhere today, is written anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, cast

from nanlint.caffe.printing import in_a_line, lines, quoted, scalar
from nanlint.caffe.solver import TYPE_OF_ENUM
from nanlint.caffe.upgrade import upgrade_net
from nanlint.caffe.upgrade_v1 import DATA_TYPES, SPEC_LISTS, TRANSFORM_FIELDS
from nanlint.findings import Edit
from nanlint.schema.bind import bind
from nanlint.schema.dialect import Dialect
from nanlint.text.edits import edited, whole_line
from nanlint.text.parser import parse
from nanlint.text.source import Place, Source, Span
from nanlint.text.tree import Block, Field, Scalar

if TYPE_CHECKING:

    from nanlint.caffe.upgrade import OriginalLayer
    from nanlint.schema.bind import Bound
    from nanlint.schema.caffe_pb2 import LayerParameter, NetParameter

_NET, _SOLVER = "NetParameter", "SolverParameter"
_INPUTS = ("input", "input_dim", "input_shape")
_SEPARATOR = re.compile(r"[ \t]*[,;]")
_ALIASES = {"concat_param": "concat_dim", "slice_param": "slice_dim"}


class CannotUpgradeError(ValueError):
    """A file that Caffe cannot read, so that nobody knows what it means; says where and why."""


def upgraded_net_text(source: Source, dialect: Dialect = Dialect.ANY) -> str:
    """A net in the format of today. A file without old fields comes back as it is.

    Raises CannotUpgradeError where the file cannot be read, or is a mixture that Caffe refuses.
    """
    bound = _readable(source, _NET, dialect)
    before = upgrade_net(bound)
    message = cast("NetParameter", bound.message)
    if message.layers and message.layer:
        raise CannotUpgradeError("it has both `layer` and the old `layers`, and Caffe refuses such a mixture")
    if any(entry.HasField("layer") for entry in message.layers):
        unknown = next((problem for problem in bound.problems if _of_a_fork(problem.kind)), None)
        if unknown is not None:
            raise CannotUpgradeError(f"line {_line(unknown.place)}: {unknown.message}")
    refused = [problem for problem in before.problems if problem.severity is None]
    if refused:
        raise CannotUpgradeError(f"line {_line(refused[0].place)}: {refused[0].message}")
    text = _edited(bound, _Net(bound, before.layers).edits())
    today = _readable(Source(source.path, text), _NET, dialect)
    text = _edited(today, _deprecated(today))
    after = upgrade_net(_readable(Source(source.path, text), _NET, dialect)).param
    if not _mean_the_same(before.param, after):
        unknown = next((problem for problem in bound.problems if problem.kind == "unknown-field"), None)
        if unknown is None:
            raise AssertionError("the upgraded text means something else")
        raise CannotUpgradeError(f"line {_line(unknown.place)}: {unknown.message}, and today's format knows it")
    return text


def upgraded_solver_text(source: Source, dialect: Dialect = Dialect.ANY) -> str:
    """A solver whose `solver_type` is written as `type`. Raises CannotUpgradeError where it cannot be read."""
    bound = _readable(source, _SOLVER, dialect)
    field, node = bound.field("solver_type"), bound.node("solver_type")
    if field is None or not isinstance(node, Scalar) or bound.field("type") is not None:
        return source.text
    kind = TYPE_OF_ENUM[bound.message.solver_type]  # type: ignore[attr-defined]
    return _edited(bound, [_edit(bound, field.start, node.end, f'type: "{kind}"')])


class _Net:
    """One net's edits."""

    def __init__(self, bound: Bound, layers: Sequence[OriginalLayer]) -> None:
        self.bound = bound
        self.text = bound.source.text
        self.layers = {layer.origin.route: layer.param for layer in layers}
        self.newline = "\r\n" if "\r\n" in self.text[: self.text.find("\n") + 1] else "\n"
        self.is_v0 = any(entry.HasField("layer") for entry in bound.message.layers)  # type: ignore[attr-defined]

    def edits(self) -> Iterator[Edit]:
        counts: dict[str, int] = {}
        yield from self.inputs()
        for field in self.bound.root.fields:
            name = field.read_as or field.name
            if self.is_v0 and name in ("state", "debug_info", "input_shape"):
                yield self.remove(field)
            if name != "layers":
                continue
            renamed = False
            for index, value in enumerate(field.values):
                if index in (field.rejected or ()) or not isinstance(value, Block):
                    continue
                route = f"layers[{counts.setdefault(name, 0)}]"
                counts[name] += 1
                if self.is_v0:
                    yield self.anew(field, value, self.layers.get(route))
                    continue
                if not renamed:
                    yield self.edit(field.start, field.name_end, "layer")
                    renamed = True
                yield from self.layer(value, self.layers[route])

    def inputs(self) -> Iterator[Edit]:
        """Net-level inputs as the Input layer that Caffe makes of them, before all other layers."""
        made = self.layers.get("")
        written = [field for field in self.bound.root.fields if (field.read_as or field.name) in _INPUTS]
        if made is None:  # without a shape Caffe forgets them
            yield from map(self.remove, written)
            return
        first_layer = next((one for one in self.bound.root.fields if one.name in ("layer", "layers")), None)
        comments = [one for field in written for one in self.comments(field.start, field.end)]
        text = self.newline.join([*comments, *_wrapped(made)])
        before = first_layer is None or written[0].start < first_layer.start
        if first_layer is not None and not before:
            yield self.edit(first_layer.start, first_layer.start, text + self.newline)
        for index, field in enumerate(written):
            yield self.edit(field.start, field.end, text) if before and index == 0 else self.remove(field)

    def layer(self, block: Block, made: LayerParameter) -> Iterator[Edit]:
        """A V1 layer, edited where it stands."""
        specs = [field for field in block.fields if (field.read_as or field.name) in SPEC_LISTS]
        for index, field in enumerate(specs):
            if index:
                yield self.remove(field)
                continue
            indent = self.indent(field.start)
            written = [f"param {{ {in_a_line(spec)} }}" if in_a_line(spec) else "param {}" for spec in made.param]
            yield self.edit(field.start, field.end, f"{self.newline}{indent}".join(written))
        for field in block.fields:
            if field.name == "type" and field.values:
                value = field.values[0]
                colon = "" if field.colon else ":"
                yield self.edit(value.start, value.end, f"{colon}{quoted(made.type)}")
        yield from self.transform(block, made)

    def transform(self, block: Block, made: LayerParameter) -> Iterator[Edit]:
        """Fields that data layers once held themselves, moved to `transform_param`."""
        holder = _block(block, DATA_TYPES.get(made.type, ""))
        moved = [field for field in holder[1].fields if field.name in TRANSFORM_FIELDS] if holder else []
        if holder is None or not moved:
            return
        transform = made.transform_param
        values = {field.name: scalar(field, value) for field, value in transform.ListFields() if not field.is_repeated}
        for field in moved:
            yield self.remove(field)
        present = _block(block, "transform_param")
        names = dict.fromkeys(field.name for field in moved)
        if present is None:
            indent = self.indent(holder[0].start)
            body = " ".join(f"{name}: {values[name]}" for name in names)
            yield self.edit(holder[0].end, holder[0].end, f"{self.newline}{indent}transform_param {{ {body} }}")
            return
        for name in names:
            old = next((field for field in present[1].fields if field.name == name), None)
            if old is not None:
                yield self.edit(old.start, old.end, f"{name}: {values[name]}")
        lacking = [name for name in names if all(field.name != name for field in present[1].fields)]
        if lacking:
            added = " ".join(f"{name}: {values[name]}" for name in lacking)
            yield self.edit(present[1].start + 1, present[1].start + 1, f" {added}")

    def anew(self, field: Field, block: Block, made: LayerParameter | None) -> Edit:
        """A V0 layer written anew; its comments stand before it. A padding layer, folded into its reader, leaves them
        alone."""
        comments = self.comments(block.start, block.end)
        indent = self.indent(field.start)
        written = [*comments, *(_wrapped(made) if made is not None else ())]
        if not written:
            return self.remove(field)
        return self.edit(field.start, field.end, f"{self.newline}{indent}".join(written))

    def comments(self, start: int, end: int) -> list[str]:
        """The comments within a span."""
        inside = (one for one in self.bound.document.comments if start < one.span.start < end)
        return [comment.text.rstrip() for comment in inside]

    def remove(self, field: Field) -> Edit:
        end = field.end
        separator = _SEPARATOR.match(self.text, end)
        start, end = whole_line(self.text, field.start, separator.end() if separator else end)
        return self.edit(start, end, "")

    def indent(self, at: int) -> str:
        """The blanks with which the line of an offset begins."""
        line = self.text.rfind("\n", 0, at) + 1
        return self.text[line : line + _blanks(self.text[line:at])]

    def edit(self, start: int, end: int, text: str) -> Edit:
        return _edit(self.bound, start, end, text)


def _deprecated(bound: Bound) -> Iterator[Edit]:
    """Fields of today's format that are there for old files: aliases of `axis`, and `normalize`."""
    for index, layer in enumerate(bound.message.layer):  # type: ignore[attr-defined]
        for block, alias in _ALIASES.items():
            param = getattr(layer, block)
            field = bound.field(f"layer[{index}].{block}.{alias}")
            if field is not None and not param.HasField("axis"):
                yield _edit(bound, field.start, field.name_end, "axis")
        field = bound.field(f"layer[{index}].loss_param.normalize")
        if field is not None:
            if layer.loss_param.HasField("normalization"):
                yield _edit(bound, *whole_line(bound.source.text, field.start, field.end), "")
            else:
                kind = "VALID" if layer.loss_param.normalize else "BATCH_SIZE"
                yield _edit(bound, field.start, field.end, f"normalization: {kind}")


def _mean_the_same(before: NetParameter, after: NetParameter) -> bool:
    """Whether two nets are equal, but for what is spelt in two ways."""
    one, other = type(before)(), type(after)()
    one.CopyFrom(before)
    other.CopyFrom(after)
    for net in (one, other):
        if not net.name:
            net.ClearField("name")
        for layer in net.layer:
            for block, alias in _ALIASES.items():
                param = getattr(layer, block)
                if param.HasField(alias) and not param.HasField("axis"):
                    param.axis = getattr(param, alias)
                    param.ClearField(alias)
            if layer.loss_param.HasField("normalize"):
                if not layer.loss_param.HasField("normalization"):
                    layer.loss_param.normalization = 1 if layer.loss_param.normalize else 2  # type: ignore[assignment]
                layer.loss_param.ClearField("normalize")
    return one == other


def _readable(source: Source, message_type: str, dialect: Dialect) -> Bound:
    bound = bind(parse(source), message_type, dialect)
    wrong = [problem for problem in bound.problems if problem.severity is None and not _of_a_fork(problem.kind)]
    if bound.document.faults or wrong:
        place = wrong[0].place if wrong else Place(source, bound.document.faults[0].span)
        message = wrong[0].message if wrong else bound.document.faults[0].message
        raise CannotUpgradeError(f"line {_line(place)}: {message}")
    return bound


def _of_a_fork(kind: str) -> bool:
    return kind in ("fork-field", "unknown-field")


def _wrapped(layer: LayerParameter) -> list[str]:
    return ["layer {", *lines(layer, 1), "}"]


def _block(block: Block, name: str) -> tuple[Field, Block] | None:
    """The last block of a name in a block, with its field."""
    found = [(field, value) for field in block.fields if field.name == name for value in field.values]
    return next(((field, value) for field, value in reversed(found) if isinstance(value, Block)), None)


def _blanks(text: str) -> int:
    return len(text) - len(text.lstrip())


def _line(place: Place) -> int:
    return place.source.position(place.span.start).line


def _edit(bound: Bound, start: int, end: int, text: str) -> Edit:
    return Edit(Place(bound.source, Span(start, end)), text)


def _edited(bound: Bound, edits: Iterator[Edit] | list[Edit]) -> str:
    return edited(bound.source.text, edits)
