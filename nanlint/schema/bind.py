"""Tree to message: every value typed as Caffe's parser types it, every refusal said at its place."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from nanlint.findings import Applicability, Edit, Effect, Fix, Problem, Related, Severity
from nanlint.schema.bound import Bound as Bound
from nanlint.schema.descriptors import descriptor, message_class
from nanlint.schema.dialect import Dialect
from nanlint.schema.fork_uses import ForkUses
from nanlint.schema.forks import FIRST_FORK_NUMBER
from nanlint.schema.suggest import other_format, suggest_field, where_else
from nanlint.schema.tables import Known, Table, table_of
from nanlint.schema.values import RefusedError, Value
from nanlint.text.edits import whole_line
from nanlint.text.lexer import encoded
from nanlint.text.source import Place, Source, Span
from nanlint.text.tree import Block, Document, Field, Kind, Scalar, SyntaxFault

if TYPE_CHECKING:
    from google.protobuf.descriptor import EnumDescriptor
    from google.protobuf.message import Message


def bind(document: Document, message_type: str, dialect: Dialect = Dialect.ANY) -> Bound:
    """The message of type `message_type` ("NetParameter", "SolverParameter") that a document spells.

    Never raises for a fault of the document: each is in `problems`, with the document's own syntax faults.
    Raises KeyError if the schema has no message of that name.
    """
    message = message_class(message_type)()
    binder = _Binder(document, dialect)
    binder.fill(document.root, message, table_of(descriptor(message_type)), None)
    problems = [_from_fault(document.source, fault) for fault in document.faults]
    problems += binder.problems
    if not document.root.fields and not document.faults:
        problems.append(_empty_file(document.source, message_type))
    problems.sort(key=lambda problem: problem.place.span)
    uses = binder.uses
    found = tuple(uses.found.values())
    return Bound(document, message_type, message, tuple(problems), dialect, found, uses.repeats)


class _Trail(NamedTuple):
    """The way down to a block, built for each block and spelt only when a problem needs it."""

    parent: _Trail | None
    name: str
    number: int | None
    field: Field
    block: Block


class _Binder:
    def __init__(self, document: Document, dialect: Dialect) -> None:
        self.source, self.faults = document.source, document.faults
        self.uses = ForkUses(dialect)
        self.problems: list[Problem] = []
        self.layers: dict[int, tuple[str, str]] = {}

    def fill(self, block: Block, message: Message, table: Table, trail: _Trail | None) -> None:
        """Put the fields of a block into a message. The parser bounds the depth."""
        known_fields, uses = table.fields, self.uses
        sound_so_far = len(self.problems)
        single: dict[str, Field] = {}
        for field in block.fields:
            if field.rejected is not None or field.read_as:
                field.rejected, field.read_as = None, ""
            known = known_fields.get(field.name)
            if known is None or uses.refuses(known.field, known.fork):
                known = self.unknown_field(field, table, trail)
                if known is None:
                    continue
            if known.fork:
                uses.note(known.field, self.at_name(field, trail))
            if not known.repeated and not self.takes_one(field, single, known, trail):
                continue
            if known.convert is None:
                self.blocks(field, known, message, trail)
            else:
                self.scalars(field, known, message, trail)
        if table.required and len(self.problems) == sound_so_far:
            self.required(block, table, single, trail)

    def required(self, block: Block, table: Table, single: dict[str, Field], trail: _Trail | None) -> None:
        """Say which required fields a block lacks, unless a syntax fault in it may hide them."""
        if any(block.start <= fault.span.start <= block.end for fault in self.faults):
            return
        for name in table.required:
            if name not in single:
                self.missing(name, table, block, trail)

    def takes_one(self, field: Field, single: dict[str, Field], known: Known, trail: _Trail | None) -> bool:
        """Whether a field that is not repeated may enter the message: the first of its name, and no list."""
        first = single.setdefault(known.name, field)
        if first is field and not field.is_list:
            return True
        if known.convert is not None:
            earlier = () if first is field else first.values
            at_name = self.at_name(field, trail)
            if self.uses.several(known.field, known.convert, earlier, field.values, at_name):
                return first is field
        if first is not field:
            self.given_twice(field, first, trail)
            _reject_all(field)
            return False
        return self.single_list(field, trail)

    # values

    def scalars(self, field: Field, known: Known, message: Message, trail: _Trail | None) -> None:
        convert, name = known.convert, known.name
        assert convert is not None
        if not field.colon and (field.is_list or any(isinstance(value, Scalar) for value in field.values)):
            self.no_colon(field, trail)
        for index, value in enumerate(field.values):
            if isinstance(value, Block):
                self.problem(
                    "wrong-type",
                    Span(field.start, value.start + 1),
                    trail,
                    name,
                    f"`{field.name}` expected a value, found `{self.source.text[value.start]}`"
                    + other_format(known.field),
                )
                self.reject(field, index)
                continue
            try:
                typed = convert(value)
            except RefusedError as refusal:
                other = self.uses.as_other_type(known.field, value)
                if other is None or (known.enum is not None and _beyond_all(other, known.enum)):
                    self.refused(refusal, field, value, trail)
                    other = refusal.meant
                if other is None:
                    self.reject(field, index)
                    continue
                typed = other
            if known.enum is not None and not self.enum_value(field, known, value, int(typed), trail):
                self.reject(field, index)
                continue
            if known.repeated:
                getattr(message, name).append(typed)
            elif index == 0:
                setattr(message, name, typed)

    def enum_value(self, field: Field, known: Known, value: Scalar, number: int, trail: _Trail | None) -> bool:
        """Whether the dialect has a value of an enum; what only forks have is noted or refused."""
        if number < FIRST_FORK_NUMBER and not self.uses.one_fork:
            return known.enum is not None and number in known.enum.values_by_number
        assert known.enum is not None
        declared = known.enum.values_by_number.get(number)
        if declared is None:
            return False
        span = Span(value.start, value.end)
        fork = declared.number >= FIRST_FORK_NUMBER
        if self.uses.refuses(declared, fork):
            whose = self.uses.whose(declared)
            message = f"`{field.name}` has no value `{declared.name}` {whose}"
            self.problem("fork-field", span, trail, field.name, message)
            return False
        if fork:
            self.uses.note(declared, partial(self.place, span, trail, known.name))
        return True

    def blocks(self, field: Field, known: Known, message: Message, trail: _Trail | None) -> None:
        nested = known.message
        assert nested is not None
        for index, value in enumerate(field.values):
            if isinstance(value, Scalar):
                self.problem(
                    "wrong-type",
                    Span(value.start, value.end),
                    trail,
                    field.name,
                    f"`{field.name}` expected `{{`, found `{value.text[:60]}`" + other_format(known.field),
                )
                self.reject(field, index)
                continue
            held = getattr(message, known.name)
            if known.repeated:
                at: int | None = len(held)
                held = held.add()
            else:
                at = None
                held.SetInParent()
            self.fill(value, held, table_of(nested), _Trail(trail, known.name, at, field, value))

    def reject(self, field: Field, index: int) -> None:
        if field.rejected is None:
            field.rejected = set()
        field.rejected.add(index)

    # refusals

    def unknown_field(self, field: Field, table: Table, trail: _Trail | None) -> Known | None:
        """Say that the message has no such field; the field to read instead, where there is no doubt."""
        _reject_all(field)
        if not field.values and not field.is_list:
            return None
        name = field.name
        block = f"`{trail.name}`" if trail else _FILE_KIND.get(table.type.name, table.type.name)
        span = Span(field.start, field.name_end)
        if name in table.fields:
            self.problem(
                "fork-field",
                span,
                trail,
                name,
                f"{block} has no field `{name}` {self.uses.whose(table.fields[name].field)}",
            )
            return None
        elsewhere = where_else(table.type, name, self.layer(trail)[1], not self.uses.bvlc)
        names, sure = suggest_field(table.type, name)
        fields = (table.fields[known] for known in names)
        names = tuple(known.name for known in fields if not self.uses.refuses(known.field, known.fork))
        sure = sure and bool(names) and not elsewhere.startswith("it belongs to the V1")
        message = f"{block} has no field `{name}`"
        if names and (sure or not elsewhere):
            message += "; did you mean " + " or ".join(f"`{known}`" for known in names) + "?"
        elif elsewhere:
            message += f": {elsewhere}"
        fix = self.fix(f"write `{names[0]}`", span, names[0]) if sure else None
        self.problem("unknown-field", span, trail, name, message, fix=fix)
        if not sure:
            return None
        field.rejected, field.read_as = None, names[0]
        return table.fields[names[0]]

    def refused(self, refusal: RefusedError, field: Field, value: Scalar, trail: _Trail | None) -> None:
        span = Span(value.start, value.end)
        fix = None
        if refusal.text is not None and not self.before_string(value):
            fix = self.fix(f"write `{refusal.text}`", span, refusal.text)
        message = f"`{field.name}` {refusal.message}"
        if fix is not None and "write" not in message:
            message += f"; write `{refusal.text}`"
        self.problem(refusal.kind, span, trail, field.name, message, fix=fix)

    def before_string(self, value: Scalar) -> bool:
        """Whether a string follows: quotes around `value` would join it."""
        return self.source.text[value.end : value.end + 80].lstrip()[:1] in ('"', "'")

    def given_twice(self, field: Field, first: Field, trail: _Trail | None) -> None:
        earlier = self.place(Span(first.start, first.name_end), trail, first.name)
        related = (Related("given here first", earlier),)
        fix = None
        if _written(field) and _written(field) == _written(first):
            fix = self.fix("remove the second", whole_line(self.source.text, field.start, field.end), "")
        self.problem(
            "field-given-twice",
            Span(field.start, field.name_end),
            trail,
            field.name,
            f"`{field.name}` takes one value and has one already; keep one of them",
            related,
            fix,
        )

    def single_list(self, field: Field, trail: _Trail | None) -> bool:
        """A `[...]` on a field that takes one value: refused; True if one value is in it, to be read."""
        bracket = self.source.text.index("[", field.name_end)
        fix, message = None, f"`{field.name}` takes one value, found a list `[`"
        if len(field.values) == 1:
            value = field.values[0]
            inner = self.source.text[value.start : value.end]
            fix = self.fix("remove the brackets", Span(bracket, field.end), inner)
            message += "; remove the brackets"
        self.problem("wrong-type", Span(field.start, bracket + 1), trail, field.name, message, fix=fix)
        if fix is None:
            _reject_all(field)
        return fix is not None

    def no_colon(self, field: Field, trail: _Trail | None) -> None:
        gap = Span(field.name_end, field.name_end)
        self.problem(
            "syntax-error",
            Span(field.start, field.name_end),
            trail,
            field.name,
            f"expected `:` after `{field.name}`",
            fix=self.fix("insert `:`", gap, ":"),
        )

    def missing(self, name: str, table: Table, block: Block, trail: _Trail | None) -> None:
        span = Span(trail.field.start, trail.field.name_end) if trail else Span(block.start, block.start)
        owner = trail.name if trail else table.type.name
        self.problem(
            "missing-required-field",
            span,
            trail,
            name,
            f"`{owner}` lacks `{name}`, without which protobuf refuses the whole file, "
            "whatever the layer's type and phase",
        )

    # places

    def problem(
        self,
        kind: str,
        span: Span,
        trail: _Trail | None,
        name: str,
        message: str,
        related: tuple[Related, ...] = (),
        fix: Fix | None = None,
    ) -> None:
        place, layer = self.place(span, trail, name), self.layer(trail)[0] or None
        doubt = kind == "fork-field" and not self.uses.dialect.exact
        severity = Severity.WARNING if doubt else None
        self.problems.append(Problem(place, message, kind, related=related, fix=fix, layer=layer, severity=severity))

    def place(self, span: Span, trail: _Trail | None, name: str) -> Place:
        return Place(self.source, span, _route(trail, name))

    def at_name(self, field: Field, trail: _Trail | None) -> Callable[[], Place]:
        """The place of a field's name, made when it is asked for."""
        return partial(self.place, Span(field.start, field.name_end), trail, field.name)

    def fix(self, title: str, span: Span, text: str) -> Fix:
        return Fix(title, (Edit(Place(self.source, span), text),), Applicability.SAFE)

    def layer(self, trail: _Trail | None) -> tuple[str, str]:
        """The name and type of the layer around a trail, as far as they are given."""
        while trail is not None and trail.name not in ("layer", "layers"):
            trail = trail.parent
        if trail is None:
            return "", ""
        known = self.layers.get(id(trail.block))
        if known is None:
            known = _string_field(trail.block, "name"), _string_field(trail.block, "type")
            self.layers[id(trail.block)] = known
        return known


def _beyond_all(number: Value, enum: EnumDescriptor) -> bool:
    """Whether a number is none of an enum, and none that a fork may take for its own type of the field."""
    return int(number) >= FIRST_FORK_NUMBER and int(number) not in enum.values_by_number


def _written(field: Field) -> str:
    """The text of the one scalar that a field has; "" if it has something else."""
    value = field.values[0] if len(field.values) == 1 else None
    return value.text if isinstance(value, Scalar) else ""


def _reject_all(field: Field) -> None:
    field.rejected = set(range(len(field.values)))


_FILE_KIND = {"NetParameter": "a net", "SolverParameter": "a solver"}


def _route(trail: _Trail | None, name: str) -> str:
    parts = [name] if name else []
    while trail is not None:
        parts.append(trail.name if trail.number is None else f"{trail.name}[{trail.number}]")
        trail = trail.parent
    return ".".join(reversed(parts))


def _string_field(block: Block, name: str) -> str:
    """The first string called `name` in a block; "" if there is none."""
    for field in block.fields:
        if field.name == name and field.values:
            value = field.values[0]
            if isinstance(value, Block):
                return ""
            written = value.string if value.kind is Kind.STRING else encoded(value.text)
            return written.decode("utf-8", "backslashreplace")
    return ""


def _from_fault(source: Source, fault: SyntaxFault) -> Problem:
    related = tuple(Related(words, Place(source, span)) for span, words in fault.related)
    fix = None
    if fault.edits:
        fix = Fix(fault.title, tuple(Edit(Place(source, span), text) for span, text in fault.edits))
    return Problem(Place(source, fault.span), fault.message, fault.kind, related=related, fix=fix)


def _empty_file(source: Source, message_type: str) -> Problem:
    place = Place(source, Span(0, 0))
    if message_type == "SolverParameter":
        message = "this solver is empty, so it names no net, and Caffe aborts for want of one"
        return Problem(place, message, "empty-file", effect=Effect.SETUP_FAILURE)
    message = "this net is empty: Caffe builds it and dies at its first forward pass"
    return Problem(place, message, "empty-file", effect=Effect.RUN_FAILURE)
