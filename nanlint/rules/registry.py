"""How a function becomes a rule: a code, a name, how sure it is, what Caffe does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from nanlint.findings import Effect, Finding, Fix, Problem, Related, Severity
from nanlint.safety import printable
from nanlint.text.source import Place

ERROR = Severity.ERROR
WARNING = Severity.WARNING
INFO = Severity.INFO

PLUGINS = "nanlint.rules"
"""The group of entry points by which other packages offer rules."""


class Rule(NamedTuple):
    """A check, and the subject that it looks at: a Bound, a Solver, a Net or a Layer.

    The docstring of `check` is the rule's page: a first sentence, then **In Caffe** and **Instead**.
    `layers`: only layers of these types are shown to it (empty: all). `explained_by`: names of rules whose
    findings about the same solver or net are the cause of what this rule finds.
    """

    code: str
    name: str
    severity: Severity
    effect: Effect
    subject: str
    check: Callable[[Any], Iterable[Problem]]
    layers: tuple[str, ...] = ()
    explained_by: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """The first sentence of the rule's page."""
        return (self.check.__doc__ or "").strip().split("\n\n", 1)[0].replace("\n", " ")

    @property
    def page(self) -> str:
        """The whole page, Markdown without indentation."""
        from inspect import cleandoc

        return cleandoc(self.check.__doc__ or "")

    def finding(self, problem: Problem) -> Finding:
        """The problem under this rule's code; what the problem says of severity and effect wins.

        Every word of a finding passes `safety.printable` here; the layer's name and the fix's edits stay as they are.
        """
        return Finding(
            self.code,
            self.name,
            problem.severity or self.severity,
            problem.effect or self.effect,
            printable.message(problem.message),
            problem.place,
            printable.paragraphs(problem.evidence) if problem.evidence else None,
            tuple(Related(printable.message(other.message), other.place) for other in problem.related),
            problem.fix and problem.fix._replace(title=printable.message(problem.fix.title)),
            problem.layer,
            problem.phase,
            problem.because,
        )


_rules: dict[str, Rule] = {}

Check = Callable[[Any], Iterable[Problem]]


def rule(
    code: str,
    name: str,
    severity: Severity,
    *,
    effect: Effect,
    layers: Sequence[str] = (),
    explained_by: Sequence[str] = (),
) -> Callable[[Check], Check]:
    """Make a rule of a function; its first parameter's annotation says what it looks at.

    Raises ValueError if the code or the name is taken.
    """

    def register(check: Check) -> Check:
        if code in _rules or any(known.name == name for known in _rules.values()):
            raise ValueError(f"rule {code} {name} is defined twice")
        annotation = next(iter(check.__annotations__.values()))
        subject = str(getattr(annotation, "__name__", annotation))
        _rules[code] = Rule(code, name, severity, effect, subject, check, tuple(layers), tuple(explained_by))
        return check

    return register


def finding(
    place: Place,
    message: str,
    *,
    evidence: str | None = None,
    related: Iterable[Related] = (),
    fix: Fix | None = None,
    layer: str | None = None,
    phase: str | None = None,
    severity: Severity | None = None,
    effect: Effect | None = None,
    because: Iterable[Place] = (),
) -> Problem:
    """What a rule yields. `because`: the places at fault; what another rule finds there explains this."""
    return Problem(
        place, message, "", evidence, tuple(related), fix, layer, phase, severity, effect, tuple(because)
    )


def family(code: str) -> str:
    """The letters that a code begins with: `POOL` of `POOL001`."""
    return code.rstrip("0123456789")


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule, by code: each module of this package defines some."""
    for module in sorted(Path(__file__).parent.glob("*.py")):
        import_module(f"nanlint.rules.{module.stem}")
    return tuple(_rules[code] for code in sorted(_rules))


def use_plugins(names: Iterable[str]) -> None:
    """Import the rules of other packages: entry points of the group `nanlint.rules`, by their names.

    Raises LookupError, with what there is, for a name that no installed package has.
    """
    from importlib.metadata import entry_points

    installed = {point.name: point for point in entry_points(group=PLUGINS)}
    for name in names:
        if name not in installed:
            raise LookupError(f"no installed package has the plugin `{name}`; there is {_listed(installed)}")
        installed[name].load()
    for cached in (rules, names_of_rules):
        cached.cache_clear()


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) or "none"


@cache
def names_of_rules() -> frozenset[str]:
    """How a comment may name rules, in capitals: by code, by name, by the letters of a family of codes."""
    return frozenset(name for known in rules() for name in (known.code, known.name.upper(), family(known.code)))


def rules_for(subject: str) -> Iterator[Rule]:
    """The rules that look at a subject: "Bound", "Solver", "Net" or "Layer"."""
    return (known for known in rules() if known.subject == subject)
