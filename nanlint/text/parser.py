"""Prototxt to syntax tree: never raises, never gives up, and says where protobuf's parser would.

The grammar is that of `text_format.cc` in protobuf 3.21. It needs no schema; what a field's type decides
(`name { }` for a string, `[1]` for a field that is not repeated) is left to `nanlint.schema.bind`.
"""

from __future__ import annotations

from dataclasses import dataclass

from nanlint.text.foreign import foreign_content
from nanlint.text.lexer import END, MALFORMED, NUMBER, STRING, WORD, Tokens, scan, string_bytes
from nanlint.text.source import Source, Span
from nanlint.text.tree import Block, Document, Field, Kind, Scalar, SyntaxFault

MAX_DEPTH = 100
"""Levels of blocks that are kept. Caffe's deepest message has 6; the parser of protobuf knows no limit."""

_KIND = {NUMBER: Kind.NUMBER, WORD: Kind.IDENTIFIER, MALFORMED: Kind.MALFORMED}
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
    faults = sorted(tokens.faults + parser.faults, key=lambda fault: fault.span)
    return Document(source, parser.stack[0].block, tuple(faults), tuple(tokens.comments))


@dataclass(slots=True)
class _Open:
    """A block whose closing brace is still to come. `kept` is false for one that no field holds."""

    block: Block
    closer: str
    field: Field | None = None
    in_list: bool = False
    kept: bool = True


class _Parser:
    """One pass over the tokens with a stack of its own, so that no nesting exhausts Python's.

    With `repair`, a `layer {` inside a `layer {` closes what is open: the sign of a brace forgotten before it.
    """

    def __init__(self, source: Source, tokens: Tokens, repair: bool) -> None:
        self.source = source
        self.text = source.text
        self.kinds, self.starts, self.ends = tokens.kinds, tokens.starts, tokens.ends
        self.strings_broken = any(fault.kind == "bad-string" for fault in tokens.faults)
        self.repair = repair
        self.at = 0
        self.faults: list[SyntaxFault] = []
        self.stack = [_Open(Block(0, len(self.text)), END)]
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
        value = self.scalar(field)
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
        self.fault(
            span,
            f"expected `:` after `{field.name}`, found `=`",
            title="write `:`",
            edits=((span, ":"),),
        )
        self.at += 1

    def value_without_colon(self, field: Field) -> bool:
        """Whether the token at hand is plainly the field's value, and only the colon is missing."""
        kind = self.kinds[self.at]
        if kind not in (STRING, NUMBER, WORD, "-", MALFORMED) or self.line_breaks(field.name_end):
            return False
        if kind in (WORD, MALFORMED) and self.kinds[self.at + 1] in (":", "{", "<", "="):
            return False
        if self.is_prose(field):
            return False
        gap = Span(field.name_end, field.name_end)
        self.fault(
            self.span(),
            f"expected `:` after `{field.name}`, found {self.found()}",
            title="insert `:`",
            edits=((gap, ":"),),
        )
        field.colon = True
        return True

    def is_prose(self, field: Field) -> bool:
        """Whether the line goes on in words after the field's name: a sentence, perhaps meant as a comment."""
        at = self.at
        words = (WORD, MALFORMED)
        return (
            self.kinds[at] in words
            and self.kinds[at + 1] in words
            and self.kinds[at + 2] not in (":", "{", "<", "=")
            and self.text.find("\n", field.name_end, self.starts[at + 1]) < 0
        )

    def line_breaks(self, since: int) -> bool:
        return self.text.find("\n", since, self.starts[self.at]) >= 0

    # values

    def scalar(self, field: Field) -> Scalar | None:
        """The scalar at hand, or None (and nothing taken) if there is none."""
        at = self.at
        kind = self.kinds[at]
        if kind == STRING:
            return self.string()
        start = self.starts[at]
        sign = ""
        if kind == "-":
            sign = "-"
            at += 1
            kind = self.kinds[at]
        if kind not in _KIND:
            return self.lone_sign() if sign else None
        if kind != NUMBER and self.kinds[at + 1] in (":", "{", "<", "="):
            return self.lone_sign() if sign else None
        end = self.ends[at]
        self.at = at + 1
        text = sign + self.text[self.starts[at] : end]
        return Scalar(_KIND[kind], start, end, text)

    def lone_sign(self) -> Scalar:
        start, end = self.span()
        self.at += 1
        while self.kinds[self.at] in ("-", *_KIND) and self.starts[self.at] == end:
            end = self.ends[self.at]
            self.at += 1
        return Scalar(Kind.MALFORMED, start, end, self.text[start:end])

    def string(self) -> Scalar:
        """One string, or several that stand side by side, which protobuf joins."""
        kinds, starts, ends, text = self.kinds, self.starts, self.ends, self.text
        at = first = self.at
        data = string_bytes(text[starts[at] : ends[at]])
        at += 1
        while kinds[at] == STRING:
            data += string_bytes(text[starts[at] : ends[at]])
            at += 1
        self.at = at
        start, end = starts[first], ends[at - 1]
        return Scalar(Kind.STRING, start, end, text[start:end], data)

    # lists

    def list_items(self, field: Field) -> None:
        """The values of a `[...]` from the token at hand, up to its end or to the first block in it."""
        while True:
            kind = self.kinds[self.at]
            if kind == "{" or kind == "<":
                self.open(field, in_list=True)
                return
            value = self.scalar(field)
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
            self.fault(
                self.span(),
                f"expected `,` or `]` in the list of `{field.name}`, found `;`",
                title="write `,`",
                edits=((self.span(), ","),),
            )
            self.at += 1
            return False
        follows = self.kinds[self.at + 1] if kind else END
        if kind in (STRING, NUMBER, WORD, "-", MALFORMED, "{", "<") and follows not in (":", "{", "<", "="):
            gap = Span(self.ends[self.at - 1], self.ends[self.at - 1])
            self.fault(
                self.span(),
                f"expected `,` or `]` in the list of `{field.name}`, found {self.found()}",
                title="insert `,`",
                edits=((gap, ","),),
            )
            return False
        self.unclosed_list(field)
        return True

    def missing_item(self, field: Field) -> None:
        """A comma with nothing before it, or a `]` right after a comma."""
        span, previous = self.span(), self.at - 1
        extra = span if self.kinds[self.at] != "]" else Span(self.starts[previous], self.ends[previous])
        self.fault(
            span,
            f"expected a value in the list of `{field.name}`, found {self.found()}",
            title="remove the `,`",
            edits=((extra, ""),),
        )

    def end_list(self, field: Field) -> None:
        field.end = self.ends[self.at]
        self.at += 1
        self.separator()

    def unclosed_list(self, field: Field) -> None:
        related = ((Span(field.start, field.name_end), "the list begins here"),)
        self.fault(
            self.span(),
            f"expected `,` or `]` in the list of `{field.name}`, found {self.found()}",
            "unclosed-block",
            related=related,
        )

    # blocks

    def open(self, field: Field | None, in_list: bool) -> None:
        """A block, with its opening brace at hand."""
        if field is not None and field.name in ("layer", "layers"):
            self.nested_layer(field)
        at = self.at
        block = Block(self.starts[at], self.ends[at])
        kept = field is not None and len(self.stack) <= MAX_DEPTH
        if field is not None and kept:
            if not in_list:
                self.keep(field)
            field.values.append(block)
        elif field is not None and len(self.stack) == MAX_DEPTH + 1:
            self.fault(
                self.span(),
                f"`{field.name}` is nested more than {MAX_DEPTH} blocks deep; "
                "no message of Caffe nests deeper than 6",
            )
        self.stack.append(_Open(block, _CLOSER[self.kinds[at]], field, in_list, kept))
        self.at = at + 1

    def close(self, kind: str) -> None:
        """A closing brace is at hand."""
        if len(self.stack) == 1:
            self.fault(
                self.span(), f"expected a field name, found `{kind}`, which closes nothing", "unclosed-block"
            )
            self.at += 1
            return
        top = self.stack.pop()
        at = self.at
        end = self.ends[at]
        if kind != top.closer:
            opened = Span(top.block.start, top.block.start + 1)
            span = Span(self.starts[at], end)
            self.fault(
                span,
                f"expected `{top.closer}`, found `{kind}`",
                "unclosed-block",
                related=((opened, "the block begins here"),),
                title=f"write `{top.closer}`",
                edits=((span, top.closer),),
            )
        top.block.end = end
        self.at = at + 1
        field = top.field
        if field is None:
            self.separator()
            return
        field.end = end
        if not top.in_list:
            self.separator()
        elif not self.list_is_over(field):
            self.list_items(field)

    def nested_layer(self, field: Field) -> None:
        """Note a `layer` inside a `layer`; when repairing, close what is open up to the outer one."""
        depth = next((i for i in range(len(self.stack) - 1, 0, -1) if self.is_open(i, field.name)), 0)
        if not depth:
            return
        self.layer_in_layer = True
        if not self.repair:
            return
        inner = self.stack[-1]
        end = self.ends[self.at_name(field) - 1]
        if not self.strings_broken:
            self.fault(
                Span(field.start, field.name_end),
                f"expected `{inner.closer}` before this `{field.name}`: {self.opened(inner)} is not closed",
                "unclosed-block",
                related=self.opened_places(depth),
            )
        for frame in self.stack[depth:]:
            frame.block.end = end
            if frame.field is not None:
                frame.field.end = end
        del self.stack[depth:]

    def at_name(self, field: Field) -> int:
        at = self.at
        while self.starts[at] > field.start:
            at -= 1
        return at

    def is_open(self, index: int, name: str) -> bool:
        field = self.stack[index].field
        return field is not None and field.name == name

    def end_of_file(self) -> None:
        if not self.unclosed:
            return
        end = self.ends[self.at - 1]
        if len(self.stack) > 1 and not self.strings_broken:
            inner = self.stack[-1]
            self.fault(
                Span(self.starts[self.at - 1], end),
                f"expected `{inner.closer}` before the end of the file: {self.opened(inner)} is not closed",
                "unclosed-block",
                related=self.opened_places(1),
            )
        for frame in self.stack[1:]:
            frame.block.end = end
            if frame.field is not None:
                frame.field.end = end

    def opened(self, frame: _Open) -> str:
        brace = self.text[frame.block.start]
        name = frame.field.name + " " if frame.field else ""
        return f"`{name}{brace}` of line {self.source.position(frame.block.start).line}"

    def opened_places(self, depth: int) -> tuple[tuple[Span, str], ...]:
        """The braces without an end, the innermost first; of very many, the nearest few."""
        frames = self.stack[depth:][:-4:-1]
        return tuple(
            (
                Span(f.field.start if f.field else f.block.start, f.block.start + 1),
                "opened here, and not closed",
            )
            for f in frames
        )

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
        if kind in (MALFORMED, STRING, NUMBER) and kinds[at + 1] in (":", "{", "<", "="):
            self.odd_name(kind)
            return
        if kind in ("{", "<"):
            self.fault(self.span(), f"expected a field name, found `{kind}`")
            self.open(None, in_list=False)
            return
        self.fault(self.span(), f"expected a field name, found {self.found()}")
        self.at += 1
        while self.kinds[self.at] not in (WORD, "}", ">", "{", "<", END) and not self.line_breaks(
            self.ends[at]
        ):
            self.at += 1
        if self.kinds[self.at] == WORD and not self.line_breaks(self.ends[at]):
            self.rest_of_line(self.ends[at])

    def rest_of_line(self, since: int) -> None:
        """Step over the words after a bad token, up to one that begins a field, a brace or the next line."""
        while True:
            kind = self.kinds[self.at]
            if kind in ("}", ">", "{", "<", END) or self.line_breaks(since):
                return
            if kind == WORD and self.kinds[self.at + 1] in (":", "{", "<", "="):
                return
            self.at += 1

    def stray_separator(self) -> None:
        start, end = self.span()
        self.at += 1
        while self.kinds[self.at] in (",", ";"):
            end = self.ends[self.at]
            self.at += 1
        written = self.text[start:end]
        self.fault(
            Span(start, end),
            f"expected a field name, found `{written}`: a field takes one `,` or `;` after it",
            "stray-separator",
            title=f"remove `{written}`",
            edits=((Span(start, end), ""),),
        )

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
            self.fault(
                Span(start, end),
                f"expected a field name, found {self.found()}: names stand without quotes",
                title="remove the quotes",
                edits=((Span(start, end), name),),
            )
        elif kind == NUMBER:
            self.fault(Span(start, end), f"expected a field name, found {self.found()}")
        self.after_name(Field(name, start, end, end, []))

    def expected(self, what: str, field: Field) -> None:
        self.fault(
            Span(field.start, field.end), f"expected {what} after `{field.name}`, found {self.found()}"
        )

    def found(self) -> str:
        kind = self.kinds[self.at]
        if kind == END:
            return "the end of the file"
        start, end = self.span()
        written = self.text[start : min(end, start + 40)].split("\n")[0]
        return f"`{written}`"

    def span(self) -> Span:
        return Span(self.starts[self.at], self.ends[self.at])

    def fault(
        self,
        span: Span,
        message: str,
        kind: str = "syntax-error",
        related: tuple[tuple[Span, str], ...] = (),
        title: str = "",
        edits: tuple[tuple[Span, str], ...] = (),
    ) -> None:
        self.faults.append(SyntaxFault(span, message, kind, related, title, edits))
