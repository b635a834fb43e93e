"""What nanlint says: a finding, its places, its evidence and its remedy."""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

from nanlint import SITE
from nanlint.text.source import Place

_LAYER_NUMBER = re.compile(r"\b(layers?)\[\d+\]")


def rule_url(name: str) -> str:
    """Where the page of a rule is published."""
    return f"{SITE}/rules/{name}/"


class Severity(Enum):
    """How sure the claim is, and nothing else."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        return ("info", "warning", "error").index(self.value)


class Effect(Enum):
    """What Caffe does."""

    PARSE_FAILURE = "parse-failure"
    SETUP_FAILURE = "setup-failure"
    RUN_FAILURE = "run-failure"
    MEMORY_ERROR = "memory-error"
    NON_FINITE = "non-finite"
    DIVERGENCE = "divergence"
    NO_LEARNING = "no-learning"
    NONE = "none"


class Related(NamedTuple):
    """A second place that has to do with a finding, with its own words."""

    message: str
    place: Place


class Edit(NamedTuple):
    """Text to put where `place` stands now."""

    place: Place
    text: str


class Applicability(Enum):
    """Whether a fix keeps what the author meant (`safe`) or needs a look (`unsafe`)."""

    SAFE = "safe"
    UNSAFE = "unsafe"


class Fix(NamedTuple):
    """Edits that remove the cause of a finding."""

    title: str
    edits: tuple[Edit, ...]
    applicability: Applicability = Applicability.SAFE


class Problem(NamedTuple):
    """One defect at one place, before a rule gives it a code.

    The floors below the rules say `kind` (the name of the rule that documents it). `severity`
    and `effect` override the rule's own where a case is surer, or less sure, than most. `because`: places
    that are at fault; a finding of the run at one of them explains this one.
    """

    place: Place
    message: str
    kind: str = ""
    evidence: str | None = None
    related: tuple[Related, ...] = ()
    fix: Fix | None = None
    layer: str | None = None
    phase: str | None = None
    severity: Severity | None = None
    effect: Effect | None = None
    because: tuple[Place, ...] = ()


class Reference(NamedTuple):
    """Another finding of the same run, by its code and place."""

    code: str
    place: Place


class Finding(NamedTuple):
    """A problem with the code, name, severity and effect of its rule: what the reports print.

    `explained_by`: the findings that are its cause, and `explains` those of which it is; reports for people
    show it as a note of the first of them. `because`: as in Problem.
    """

    code: str
    name: str
    severity: Severity
    effect: Effect
    message: str
    place: Place
    evidence: str | None = None
    related: tuple[Related, ...] = ()
    fix: Fix | None = None
    layer: str | None = None
    phase: str | None = None
    because: tuple[Place, ...] = ()
    explained_by: tuple[Reference, ...] = ()
    explains: tuple[Reference, ...] = ()

    @property
    def reference(self) -> Reference:
        return Reference(self.code, self.place)

    @property
    def url(self) -> str:
        """The page of its rule."""
        return rule_url(self.name)

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """Code, path, layer and route: what stays the same when lines move and layers are put in or taken out."""
        route = _LAYER_NUMBER.sub(r"\1", self.place.route) if self.layer else self.place.route
        return self.code, self.place.source.path.replace("\\", "/"), self.layer or "", route


class Hidden(NamedTuple):
    """A finding that is not reported: a comment (`reason` is the comment's) or the baseline hides it."""

    finding: Finding
    by_comment: bool
    reason: str = ""


class Rewritten(NamedTuple):
    """A text that fixes have changed, or would change: under which path, and how it read before and after."""

    path: str
    before: str
    after: str


class Report(NamedTuple):
    """What one run found, sorted by path and place.

    `files` are the paths of the files that were read; `failures` say what could not be done
    (a file that cannot be read, a rule that broke), one sentence each. `notes` say what was done and what was passed
    over: they change no exit status. `hidden` is what was found and is not to be reported. `rewritten` are the texts
    that fixes changed, or would change where they are only shown, and standard input, changed or not.
    """

    findings: tuple[Finding, ...]
    files: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    hidden: tuple[Hidden, ...] = ()
    rewritten: tuple[Rewritten, ...] = ()

    def count(self, severity: Severity) -> int:
        return sum(finding.severity is severity for finding in self.findings)

    @property
    def fixable(self) -> int:
        """How many findings `--fix` can remove."""
        return self._with_fix(Applicability.SAFE)

    @property
    def unsafely_fixable(self) -> int:
        """How many more findings `--unsafe-fixes` can remove."""
        return self._with_fix(Applicability.UNSAFE)

    def _with_fix(self, applicability: Applicability) -> int:
        return sum(
            finding.fix is not None and finding.fix.applicability is applicability for finding in self.findings
        )
