"""What protobuf's text parser refuses: the file as text, before any net is built of it.

The text floor finds all of it in one pass over a file; a rule here documents one kind.
"""

from __future__ import annotations

from collections.abc import Iterator

from nanlint.findings import Applicability, Edit, Effect, Fix, Problem
from nanlint.rules.registry import ERROR, WARNING, finding, names_of_rules, rule
from nanlint.schema.bind import Bound
from nanlint.schema.suggest import nearest
from nanlint.text.directives import Directive, directives, misread
from nanlint.text.source import Place

PARSE_FAILURE = Effect.PARSE_FAILURE


def _of_kind(bound: Bound, kind: str) -> Iterator[Problem]:
    return (problem for problem in bound.problems if problem.kind == kind)


@rule("TXT001", "syntax-error", ERROR, effect=PARSE_FAILURE)
def syntax_error(bound: Bound) -> Iterator[Problem]:
    """The text breaks the grammar of a prototxt: a name, a colon or a value is not where it must be.

    **In Caffe** protobuf's text parser stops at the first such place (`text_format.cc`), Caffe prints `Failed
    to parse NetParameter file` (or `SolverParameter`) and aborts. A field is `name: value` or `name { ... }`;
    the colon is optional before a block only. Comments begin with `#`: `//`, `/* */`, `--` and `%` do not.
    In a list, values are separated by `,` and none follows the last.

    **Instead** write what the message says was expected. nanlint steps over the bad place and lints the rest,
    so that one run shows every such place and not the first alone.
    """
    return _of_kind(bound, "syntax-error")


@rule("TXT002", "unclosed-block", ERROR, effect=PARSE_FAILURE)
def unclosed_block(bound: Bound) -> Iterator[Problem]:
    """A `{`, `<` or `[` is never closed, is closed by the wrong mark, or a closing mark has nothing to close.

    **In Caffe** protobuf's parser notices a missing brace only where it can go no further: at the next
    `layer`, which it takes for a field of the open one, or at the end of the file. It aborts there, far
    from the cause.

    **Instead** close the block that the related place shows, or remove the mark that closes nothing. `{` goes
    with `}` and `<` with `>`.
    """
    return _of_kind(bound, "unclosed-block")


@rule("TXT003", "stray-separator", ERROR, effect=PARSE_FAILURE)
def stray_separator(bound: Bound) -> Iterator[Problem]:
    """A `,` or `;` stands where no field ends.

    **In Caffe** protobuf's parser takes one `,` or `;` after each field and ignores it. A second one, or
    one at the start of the file or of a block, is no field name, and it aborts there.

    **Instead** remove it. A prototxt needs no separators at all.
    """
    return _of_kind(bound, "stray-separator")


@rule("TXT004", "stray-character", ERROR, effect=PARSE_FAILURE)
def stray_character(bound: Bound) -> Iterator[Problem]:
    """A character that looks like a blank or a quote, or like nothing, and is none to protobuf.

    **In Caffe** protobuf's tokenizer (`tokenizer.cc`) knows ASCII alone outside strings and comments. It
    aborts at a byte order mark that an editor put in front of the file, a no-break space or curly quotes
    pasted from a web page, a NUL or another control character.

    **Instead** remove the character, or write the plain blank or quote; `nanlint check --fix` does. Save the
    file as UTF-8 without a byte order mark.
    """
    return _of_kind(bound, "stray-character")


@rule("TXT005", "bad-string", ERROR, effect=PARSE_FAILURE)
def bad_string(bound: Bound) -> Iterator[Problem]:
    r"""A string lacks its closing quote, or holds an escape that does not exist.

    **In Caffe** protobuf's tokenizer ends a string at the end of its line or at a NUL byte and aborts. It
    knows the escapes `\n \t \r \a \b \f \v \\ \' \" \?`, octal (`\101`), hexadecimal (`\x41`), `\u` with 4
    and `\U` with 8 hex digits, and aborts at every other. The escapes it does know change a Windows path in
    silence: `"data\train"` holds a tab.

    **Instead** close the string on its line (strings that stand side by side are joined), and write paths
    with `/`, or `\\` for a backslash.
    """
    return _of_kind(bound, "bad-string")


@rule("TXT006", "not-a-prototxt", ERROR, effect=PARSE_FAILURE)
def not_a_prototxt(bound: Bound) -> Iterator[Problem]:
    """The file is something else: an HTML page, a Git LFS pointer, JSON, UTF-16, HDF5 or binary weights.

    **In Caffe** protobuf's parser aborts at its first characters, with a message that says nothing of the
    cause.

    **Instead** get the file itself: download the raw file and not the page that shows it, run `git lfs pull`,
    save as UTF-8. Weights go to `-weights` or `-snapshot`, not to `net`.
    """
    return _of_kind(bound, "not-a-prototxt")


@rule("TXT007", "empty-file", ERROR, effect=Effect.RUN_FAILURE)
def empty_file(bound: Bound) -> Iterator[Problem]:
    """The file holds no field.

    **In Caffe** an empty file parses. A net without layers is built, and dies of a signal at its first
    forward pass; a solver without fields names no net, and Caffe aborts while it builds the solver
    (`solver.cpp`).

    **Instead** look whether the download, the disk or the script that writes the file failed.
    """
    return _of_kind(bound, "empty-file")


@rule("TXT008", "unknown-field", ERROR, effect=PARSE_FAILURE)
def unknown_field(bound: Bound) -> Iterator[Problem]:
    """A message has no field of that name, in BVLC Caffe or in any fork known to nanlint.

    **In Caffe** protobuf's parser aborts: `Message type "caffe.PoolingParameter" has no field named
    "kernel"`. Names are exact and lower case. A field also fails where it exists but elsewhere: `stride`
    belongs inside `pooling_param` or `convolution_param`, `blobs_lr` to the V1 format (`layers`), `base_lr`
    to the solver.

    **Instead** write the name that was meant. Where one name alone comes near, nanlint offers it as a fix and
    lints the rest of the file as if it stood there.
    """
    return _of_kind(bound, "unknown-field")


@rule("TXT009", "fork-field", ERROR, effect=PARSE_FAILURE)
def fork_field(bound: Bound) -> Iterator[Problem]:
    """A field, or a value of an enum, that the Caffe named by `--caffe` or `--proto` lacks and others have.

    **In Caffe** its protobuf parser aborts at it as at any unknown name. The Caffes in the message read it.
    What `--caffe bvlc` (exactly BVLC 1.0) and `--proto FILE` refuse is certain; another fork is known as it
    stood when its sources were read and may have moved on, so that its refusals are warnings.

    **Instead** run the file with a Caffe that has it and name that one, or remove the field.
    """
    return _of_kind(bound, "fork-field")


@rule("TXT010", "unknown-enum-value", ERROR, effect=PARSE_FAILURE)
def unknown_enum_value(bound: Bound) -> Iterator[Problem]:
    """An enum field is given a name or number that its enum does not have.

    **In Caffe** protobuf's parser aborts: `Unknown enumeration value of "max" for field "pool"`. It takes the
    exact name (`MAX`) or the number of a value, and no other case.

    **Instead** write one of the values in the message.
    """
    return _of_kind(bound, "unknown-enum-value")


@rule("TXT011", "wrong-type", ERROR, effect=PARSE_FAILURE)
def wrong_type(bound: Bound) -> Iterator[Problem]:
    """A value is not of its field's type: a quoted number, an unquoted string, `1e3` for an integer, `TRUE`.

    **In Caffe** protobuf's parser aborts at the value. Integers are decimal, hexadecimal (`0x1F`) or, with a
    leading 0, octal (`010` is 8), without point or exponent, and without a sign where the field is unsigned.
    Floats are decimal, with no `+` and no leading zero (`00.1`). Booleans are `true`, `True`, `t`, `false`,
    `False`, `f`, 0 and 1. Strings stand in quotes; numbers, booleans and enum values do not. A list `[...]`
    is for repeated fields, a block `{...}` for messages.

    **Instead** write the value as its type is spelt. Where what was meant is plain, nanlint offers it as a
    fix and lints the rest of the file as if it stood there.
    """
    return _of_kind(bound, "wrong-type")


@rule("TXT012", "integer-out-of-range", ERROR, effect=PARSE_FAILURE)
def integer_out_of_range(bound: Bound) -> Iterator[Problem]:
    """An integer is too large or too small for its field.

    **In Caffe** protobuf's parser aborts: `Integer out of range`. `int32` fields such as `max_iter` end at
    2147483647, `uint32` fields such as `num_output` at 4294967295. Floats do not abort: `1e39` is infinite.

    **Instead** write a number that fits.
    """
    return _of_kind(bound, "integer-out-of-range")


@rule("TXT013", "field-given-twice", ERROR, effect=PARSE_FAILURE)
def field_given_twice(bound: Bound) -> Iterator[Problem]:
    """A field that takes one value is given a second time in the same block, even with the same value.

    **In Caffe** protobuf's parser aborts: `Non-repeated field "name" is specified multiple times`.
    `kernel_size`, `stride` and `pad` are repeated in `convolution_param` (one value an axis) and single in
    `pooling_param`.

    **Instead** keep one of the two. nanlint lints the rest of the file with the first.
    """
    return _of_kind(bound, "field-given-twice")


@rule("TXT014", "missing-required-field", ERROR, effect=PARSE_FAILURE)
def missing_required_field(bound: Bound) -> Iterator[Problem]:
    """A `clip_param` lacks `min` or `max`.

    **In Caffe** these two are the only required fields of the schema. Without one, protobuf refuses the
    whole file (`Message missing required fields`), even if the layer is of another type or of a phase that
    is not run.

    **Instead** write both: `clip_param { min: -1 max: 1 }`.
    """
    return _of_kind(bound, "missing-required-field")


@rule("TXT015", "unused-ignore", WARNING, effect=Effect.NONE)
def unused_ignore(unused: Directive) -> Iterator[Problem]:
    """A `# nanlint: ignore[CODE]` comment hides nothing: no such finding is there.

    **In Caffe** it is a comment. To nanlint it is a promise that a finding stands here and is meant; one that
    hides nothing would hide the next true finding on its line.

    **Instead** remove the comment, or the code that hides nothing from it.
    """
    span, text = unused.removal()
    title = "remove the comment" if not text else "remove the codes that hide nothing"
    fix = Fix(title, (Edit(Place(unused.place.source, span), text),))
    codes = " or ".join(unused.codes)
    message = f"`{unused.text}` hides nothing: there is no finding" + (
        f" of {codes} here" if codes else " here"
    )
    yield finding(unused.place, message, fix=fix)


@rule("TXT016", "malformed-ignore", WARNING, effect=Effect.NONE)
def malformed_ignore(bound: Bound) -> Iterator[Problem]:
    """A comment that means to hide findings does not read so, or names a rule that does not exist.

    **In Caffe** it is a comment. nanlint hides nothing for it, since a guess would hide what nobody meant.

    **Instead** write `# nanlint: ignore[CODE] reason`, with codes, names of rules or the letters of a family of codes
    between the brackets; `ignore-file[CODE]` for the whole file. `# nanlint: ignore` alone hides everything.
    """
    for comment in misread(bound.document):
        place = comment.place
        remedy = f"write `{comment.meant}`" if comment.meant else "write `# nanlint: ignore[CODE]` and a reason"
        fix = Fix(remedy, (Edit(place, comment.meant),), Applicability.UNSAFE) if comment.meant else None
        yield finding(place, f"`{comment.written}` is no directive, so it hides nothing; {remedy}", fix=fix)
    for directive in directives(bound.document):
        for word in directive.codes:
            if word not in names_of_rules():
                near = [f"`{name}`" for name in nearest(word, names_of_rules())]
                meant = f"did you mean {' or '.join(near)}?" if near else "`nanlint rules` lists them"
                yield finding(directive.place, f"there is no rule `{word}` to ignore; {meant}")

