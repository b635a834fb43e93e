"""The options of the command line, each declared once: what a command takes is a record of these types."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

from nanlint.config import DATA, SEVERITIES
from nanlint.report.formats import FORMATS
from nanlint.schema.targets import TARGETS

COLOURS = ("auto", "always", "never")


class Option(NamedTuple):
    """How an option is spelt: `--root`, or `--output -o`. The type says whether it is a switch, or repeated."""

    spelling: str
    metavar: str | None
    help: str
    choices: tuple[str, ...] = ()
    least: int | None = None

    @property
    def names(self) -> list[str]:
        return self.spelling.split()


class Argument(NamedTuple):
    """A word of the call that is no option; a tuple of them where the type is one."""

    metavar: str
    help: str


class Field(NamedTuple):
    """One option or argument of a command: the field's name, its plain type, how it is spelt, its default."""

    name: str
    type: Any
    spelt: Option | Argument
    default: Any
    needed: bool

    @property
    def repeated(self) -> bool:
        return get_origin(self.type) is tuple

    @property
    def switch(self) -> bool:
        return self.type is bool

    def value(self, word: str) -> Any:
        """A word of the command line as this field's value. Raises ValueError where it cannot be one."""
        if isinstance(self.spelt, Argument):
            return word
        if self.spelt.choices and word not in self.spelt.choices:
            raise ValueError(word)
        if int not in (self.type, *get_args(self.type)):
            return word
        number = int(word)
        if self.spelt.least is not None and number < self.spelt.least:
            raise ValueError(word)
        return number


def fields_of(record: type[Any]) -> list[Field]:
    """The options and arguments of a command's record, a NamedTuple of Annotated types."""
    hints = get_type_hints(record, include_extras=True)
    defaults: dict[str, Any] = record._field_defaults
    found = []
    for name, hint in hints.items():
        kind, spelt = get_args(hint)
        found.append(Field(name, kind, spelt, defaults.get(name), name not in defaults))
    return found


def output_format(*choices: str) -> Option:
    """The option `--output-format` of a command with formats of its own."""
    return Option("--output-format", None, "How it is written.", choices)


Paths = Annotated[tuple[str, ...], Argument("PATH...", "Solvers, nets, folders of them, or -.")]
ReportFormat = Annotated[str, Option("--output-format", None, "How findings are written.", tuple(FORMATS))]
TableFormat = Annotated[str, output_format("text", "json")]
Colour = Annotated[str, Option("--color", None, "Whether to colour text.", COLOURS)]
FailOn = Annotated[
    str | None, Option("--fail-on", None, "The least severity that gives exit status 1 [warning].", SEVERITIES)
]
Select = Annotated[tuple[str, ...], Option("--select", "RULE", "Only these rules: codes or names.")]
Ignore = Annotated[tuple[str, ...], Option("--ignore", "RULE", "Without these rules.")]
Caffe = Annotated[str | None, Option("--caffe", "NAME", "The Caffe that will run the files; bvlc: exactly 1.0.")]
Proto = Annotated[str | None, Option("--proto", "FILE", "A fork's own caffe.proto.")]
Deploy = Annotated[
    tuple[str, ...], Option("--deploy", "FILE", "A deploy net of the solver, in place of those beside it.")
]
Target = Annotated[
    str | None, Option("--target", None, "Say what of a net this program does not read.", TARGETS)
]
Roots = Annotated[tuple[str, ...], Option("--root", "DIR", "One more place where a solver's paths begin.")]
Inputs = Annotated[
    tuple[str, ...], Option("--input", "BLOB:SHAPE", "A shape that depends on data: data:64,3,227,227.")
]
Ranges = Annotated[
    tuple[str, ...], Option("--range", "BLOB:LOW,HIGH", "The values that a data blob holds: data:0,255.")
]
Data = Annotated[
    str | None,
    Option("--data", None, "How much is read of the data beside the nets.", DATA),
]
Fix = Annotated[bool, Option("--fix", None, "Make the safe fixes in the files (of -: in what is printed), then lint.")]
UnsafeFixes = Annotated[
    bool, Option("--unsafe-fixes", None, "Make the fixes too that need a look: they may change what is meant.")
]
Diff = Annotated[bool, Option("--diff", None, "Show what the fixes would change, and change nothing.")]
Quiet = Annotated[bool, Option("--quiet -q", None, "Findings alone: no summary, nothing where nothing is found.")]
Statistics = Annotated[bool, Option("--statistics", None, "Count each rule's findings instead (text or json).")]
ExitZero = Annotated[bool, Option("--exit-zero", None, "Exit status 0 whatever is found.")]
OutputFile = Annotated[
    str | None, Option("--output-file", "FILE", "Write what is found to this file, and a summary to standard error.")
]
Baseline = Annotated[str | None, Option("--baseline", "FILE", "Leave out the findings that this file lists.")]
WriteBaseline = Annotated[
    bool, Option("--write-baseline", None, "List what is found in the baseline, and prune what is gone.")
]
AddIgnore = Annotated[
    str | None, Option("--add-ignore", "REASON", "Write a comment that hides it, with this reason, by each finding.")
]
ShowSettings = Annotated[bool, Option("--show-settings", None, "Show what holds for these paths, and lint nothing.")]
ShowFiles = Annotated[bool, Option("--show-files", None, "Show the files that these paths lead to, and lint nothing.")]
Watch = Annotated[bool, Option("--watch", None, "Lint again whenever one of the files changes.")]
StdinFilename = Annotated[str | None, Option("--stdin-filename", "PATH", "The path of what - reads.")]
ConfigFile = Annotated[str | None, Option("--config", "FILE", "This configuration, not the nearest one.")]
