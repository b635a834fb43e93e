"""Prototxt to syntax tree: never raises, never gives up, and says where protobuf's parser would.

The grammar is that of `text_format.cc` in protobuf 3.21. It needs no schema; what a field's type decides
(`name { }` for a string, `[1]` for a field that is not repeated) is left to `nanlint.schema.bind`.
"""

from __future__ import annotations

from dataclasses import dataclass

from nanlint.text.cursor import AFTER_NAME, Cursor
from nanlint.text.foreign import foreign_content
from nanlint.text.lexer import END, MALFORMED, NUMBER, STRING, WORD, Tokens, scan
from nanlint.text.source import Source, Span
from nanlint.text.tree import Block, Document, Field

MAX_DEPTH = 100
"""Levels of blocks that are kept. Caffe's deepest message has 6; the parser of protobuf knows no limit."""

_CLOSER = {"{": "}", "<": ">"}


def parse(source: Source) -> Document:
    """The syntax tree of a whole file. Time is linear in its length; blocks may nest without bound."""
    alien = foreign_content(source.text)
    if alien:
        return Document(source, Block(0, len(source.text)), (alien,), ())
    tokens = scan(source.text)
    parser = _Parser(source, tokens, repair=False)
    parser.run()
    if parser.unclosed and parser.layer_in_layer:
        parser = _Parser(source, tokens, repair=True)
        parser.run()
    lexical = [fault for fault in tokens.faults if not parser.in_comment(fault.span)]
    faults = sorted(lexical + parser.faults, key=lambda fault: fault.span)
    return Document(source, parser.stack[0].block, tuple(faults), tuple(tokens.comments))


@dataclass(slots=True)
class _Open:
    """A block whose closing brace is still to come, and the field that holds it."""

    block: Block
    closer: str
    field: Field | None = None
    in_list: bool = False

    def end_at(self, offset: int) -> None:
        self.block.end = offset
        if self.field is not None:
            self.field.end = offset


class _Parser(Cursor):
    """One pass over the tokens with a stack of its own, so that no nesting exhausts Python's.

    With `repair`, a `layer {` inside a `layer {` closes what is open: a brace was forgotten before it.
    """

    def __init__(self, source: Source, tokens: Tokens, repair: bool) -> None:
        super().__init__(source, tokens)
        self.strings_broken = bool(tokens.broken_strings)
        self.repair = repair
        self.stack = [_Open(Block(0, len(self.text)), END)]
        self.layers_open: dict[str, list[int]] = {"layer": [], "layers": []}
        self.unclosed = False
        self.layer_in_layer = False

    def run(self) -> None:
        kinds = self.kinds
        while True:
            kind = kinds[self.at]
            if kind == WORD:
                self.field()
            elif kind == "}" or kind == ">":
                self.close(kind)
            elif kind == END:
                break
            else:
                self.no_field_name(kind)
        self.unclosed = len(self.stack) > 1
        self.end_of_file()

    # fields

    def field(self) -> None:
        """`name: value`, `name { }`, `name: [ ]`, with the token at hand as the name."""
        at = self.at
        start, name_end = self.starts[at], self.ends[at]
        field = Field(self.text[start:name_end], start, name_end, name_end, [])
        self.after_name(field)

    def after_name(self, field: Field) -> None:
        """What follows a field's name, which is the token at hand."""
        self.at += 1
        kinds = self.kinds
        kind = kinds[self.at]
        if kind == ":":
            field.end = self.ends[self.at]
            self.at += 1
            kind = kinds[self.at]
        elif kind == "=":
            self.equals_sign(field)
            kind = kinds[self.at]
        else:
            field.colon = False
        if kind == "{" or kind == "<":
            self.open(field, in_list=False)
        elif kind == "[":
            field.is_list = True
            self.keep(field)
            self.at += 1
            if kinds[self.at] == "]":
                self.end_list(field)
            else:
                self.list_items(field)
        elif field.colon or self.value_without_colon(field):
            self.one_value(field)
        else:
            self.expected("`:`", field)
            self.keep(field)
            if self.is_prose(field):
                self.rest_of_line(field.end)
            self.separator()

    def one_value(self, field: Field) -> None:
        value = self.scalar()
        if value is None:
            self.expected("a value", field)
        else:
            field.values.append(value)
            field.end = value.end
        self.keep(field)
        self.separator()

    def keep(self, field: Field) -> None:
        self.stack[-1].block.fields.append(field)

    def separator(self) -> None:
        """After a field, one `,` or `;` is allowed."""
        kind = self.kinds[self.at]
        if kind == "," or kind == ";":
            self.at += 1

    def equals_sign(self, field: Field) -> None:
        span = self.span()
        message = f"expected `:` after `{field.name}`, found `=`"
        self.fault(span, message, title="write `:`", edits=((span, ":"),))
        self.at += 1

    def value_without_colon(self, field: Field) -> bool:
        """Whether the token at hand is plainly the field's value, and only the colon is missing."""
        kind = self.kinds[self.at]
        if kind not in (STRING, NUMBER, WORD, "-", MALFORMED) or self.line_breaks(field.name_end):
            return False
        if kind in (WORD, MALFORMED) and self.kinds[self.at + 1] in AFTER_NAME:
            return False
        if self.is_prose(field):
            return False
        gap = Span(field.name_end, field.name_end)
        message = f"expected `:` after `{field.name}`, found {self.found()}"
        self.fault(self.span(), message, title="insert `:`", edits=((gap, ":"),))
        field.colon = True
        return True

    # lists

    def list_items(self, field: Field) -> None:
        """The values of a `[...]` from the token at hand, up to its end or to the first block in it."""
        while True:
            kind = self.kinds[self.at]
            if kind == "{" or kind == "<":
                self.open(field, in_list=True)
                return
            value = self.scalar()
            if value is not None:
                field.values.append(value)
                field.end = value.end
            elif kind in (",", ";", "]"):
                self.missing_item(field)
                if kind == "]":
                    self.end_list(field)
                    return
            else:
                self.unclosed_list(field)
                return
            if self.list_is_over(field):
                return

    def list_is_over(self, field: Field) -> bool:
        """After a value: step over the `,` and go on (False), or end the list (True)."""
        kind = self.kinds[self.at]
        if kind == ",":
            self.at += 1
            return False
        if kind == "]":
            self.end_list(field)
            return True
        if kind == ";":
            self.expected_in_list(field, "write `,`", (self.span(), ","))
            self.at += 1
            return False
        follows = self.kinds[self.at + 1] if kind else END
        if kind in (STRING, NUMBER, WORD, "-", MALFORMED, "{", "<") and follows not in AFTER_NAME:
            gap = Span(self.ends[self.at - 1], self.ends[self.at - 1])
            self.expected_in_list(field, "insert `,`", (gap, ","))
            return False
        self.unclosed_list(field)
        return True

    def expected_in_list(self, field: Field, title: str, edit: tuple[Span, str]) -> None:
        message = f"expected `,` or `]` in the list of `{field.name}`, found {self.found()}"
        self.fault(self.span(), message, title=title, edits=(edit,))

    def missing_item(self, field: Field) -> None:
        """A comma with nothing before it, or a `]` right after a comma."""
        span, previous = self.span(), self.at - 1
        comma = span if self.kinds[self.at] != "]" else Span(self.starts[previous], self.ends[previous])
        message = f"expected a value in the list of `{field.name}`, found {self.found()}"
        self.fault(span, message, title="remove the `,`", edits=((comma, ""),))

    def end_list(self, field: Field) -> None:
        field.end = self.ends[self.at]
        self.at += 1
        self.separator()

    def unclosed_list(self, field: Field) -> None:
        related = ((Span(field.start, field.name_end), "the list begins here"),)
        message = f"expected `,` or `]` in the list of `{field.name}`, found {self.found()}"
        self.fault(self.span(), message, "unclosed-block", related)

    # blocks

    def open(self, field: Field | None, in_list: bool) -> None:
        """A block, with its opening brace at hand."""
        name = field.name if field is not None else ""
        if self.layers_open.get(name):
            self.layer_in_layer = True
            if self.repair:
                self.close_before(name)
        at = self.at
        block = Block(self.starts[at], self.ends[at])
        depth = len(self.stack)
        if field is not None and depth <= MAX_DEPTH:
            if not in_list:
                self.keep(field)
            field.values.append(block)
        elif depth == MAX_DEPTH + 1:
            message = f"this is nested more than {MAX_DEPTH} blocks deep; no message of Caffe nests deeper than 6"
            self.fault(self.span(), message)
        if name in self.layers_open:
            self.layers_open[name].append(depth)
        self.stack.append(_Open(block, _CLOSER[self.kinds[at]], field, in_list))
        self.at = at + 1

    def close(self, kind: str) -> None:
        """A closing brace is at hand."""
        if len(self.stack) == 1:
            message = f"expected a field name, found `{kind}`, which closes nothing"
            self.fault(self.span(), message, "unclosed-block")
            self.at += 1
            return
        top = self.pop()
        if kind != top.closer:
            self.wrong_brace(kind, top)
        top.end_at(self.ends[self.at])
        self.at += 1
        field = top.field
        if field is None or not top.in_list:
            self.separator()
        elif not self.list_is_over(field):
            self.list_items(field)

    def pop(self) -> _Open:
        top = self.stack.pop()
        if top.field is not None and top.field.name in self.layers_open:
            self.layers_open[top.field.name].pop()
        return top

    def wrong_brace(self, kind: str, top: _Open) -> None:
        span, opened = self.span(), Span(top.block.start, top.block.start + 1)
        self.fault(
            span,
            f"expected `{top.closer}`, found `{kind}`",
            "unclosed-block",
            ((opened, "the block begins here"),),
            f"write `{top.closer}`",
            ((span, top.closer),),
        )

    def close_before(self, name: str) -> None:
        """The brace of a layer is at hand inside another: close what is open up to that other."""
        depth = self.layers_open[name][-1]
        at = self.at - 1 if self.kinds[self.at - 1] != ":" else self.at - 2
        self.not_closed(Span(self.starts[at], self.ends[at]), f"this `{name}`", depth)
        while len(self.stack) > depth:
            self.pop().end_at(self.ends[at - 1])

    def end_of_file(self) -> None:
        last = self.at - 1
        if self.unclosed:
            self.not_closed(Span(self.starts[last], self.ends[last]), "the end of the file", 1)
        for frame in self.stack[1:]:
            frame.end_at(self.ends[last])

    def not_closed(self, span: Span, before: str, depth: int) -> None:
        """The blocks from `depth` on lack a brace. Where a broken string may hide it, say nothing."""
        if self.strings_broken:
            return
        inner = self.stack[-1]
        brace = self.text[inner.block.start]
        name = inner.field.name + " " if inner.field else ""
        line = self.source.position(inner.block.start).line
        message = f"expected `{inner.closer}` before {before}: `{name}{brace}` of line {line} is not closed"
        nearest = self.stack[max(depth, len(self.stack) - 3) :]
        related = [
            (
                Span(frame.field.start if frame.field else frame.block.start, frame.block.start + 1),
                "opened here",
            )
            for frame in reversed(nearest)
        ]
        self.fault(span, message, "unclosed-block", tuple(related))

    # faults

    def no_field_name(self, kind: str) -> None:
        """The token at hand cannot begin a field: say so, and step over what belongs to it."""
        at = self.at
        kinds = self.kinds
        if kind == "[" and kinds[at + 1] in (WORD, MALFORMED) and kinds[at + 2] == "]":
            self.extension()
            return
        if kind in (",", ";"):
            self.stray_separator()
            return
        if self.foreign_comment():
            return
        if kind in (MALFORMED, STRING, NUMBER) and kinds[at + 1] in AFTER_NAME:
            self.odd_name(kind)
            return
        if kind in ("{", "<"):
            self.fault(self.span(), f"expected a field name, found `{kind}`")
            self.open(None, in_list=False)
            return
        self.fault(self.span(), f"expected a field name, found {self.found()}")
        self.at += 1
        while kinds[self.at] not in (WORD, "}", ">", "{", "<", END) and not self.line_breaks(self.ends[at]):
            self.at += 1
        if kinds[self.at] == WORD:
            self.rest_of_line(self.ends[at])

    def stray_separator(self) -> None:
        start, end = self.span()
        self.at += 1
        while self.kinds[self.at] in (",", ";"):
            end = self.ends[self.at]
            self.at += 1
        span, written = Span(start, end), self.text[start:end]
        message = f"expected a field name, found `{written}`: a field takes one `,` or `;` after it"
        self.fault(span, message, "stray-separator", title=f"remove `{written}`", edits=((span, ""),))

    def extension(self) -> None:
        start, name_end = self.starts[self.at], self.ends[self.at + 2]
        field = Field(self.text[start:name_end], start, name_end, name_end, [])
        self.at += 2
        self.after_name(field)

    def odd_name(self, kind: str) -> None:
        """A name that is no identifier but has a `:` or a block after it."""
        start, end = self.span()
        name = self.text[start:end]
        if kind == STRING:
            name = name[1:-1]
            message = f"expected a field name, found {self.found()}: names stand without quotes"
            self.fault(self.span(), message, title="remove the quotes", edits=((self.span(), name),))
        elif kind == NUMBER:
            self.fault(Span(start, end), f"expected a field name, found {self.found()}")
        self.after_name(Field(name, start, end, end, []))
