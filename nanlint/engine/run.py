"""Rules over what was loaded. A rule that breaks costs its own findings and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from nanlint.caffe.model import Net, Solver
from nanlint.caffe.net import SURE_IN_FORKS
from nanlint.engine.failures import internal_error
from nanlint.findings import Effect, Finding, Problem, Severity
from nanlint.rules.registry import Rule
from nanlint.rules.registry import rules as every_rule
from nanlint.schema.bind import Bound
from nanlint.text.directives import Directive

if TYPE_CHECKING:
    from nanlint.caffe.deployment import Deployment, Targeted
    from nanlint.data.beside import Beside, Source

    Subject: TypeAlias = Bound | Solver | Net | Directive | Deployment | Targeted | Source | Beside

_WHEN_RUN = (Effect.RUN_FAILURE, Effect.MEMORY_ERROR, Effect.NON_FINITE, Effect.DIVERGENCE)

NO_CONTENT = ("not-a-prototxt", "empty-file")
"""Rules about files of which nothing else is worth saying."""


class Run:
    """The findings of some rules, and what broke on the way."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.findings: list[Finding] = []
        self.failures: list[str] = []
        self.checked: set[str] = set()
        self.complete = len(rules) == len(every_rule())
        self._names = {rule.name for rule in every_rule()}
        self._codes = {rule.code for rule in rules}
        self._of_solvers: set[str] = set()
        self._without_content: set[str] = set()
        self._opened: dict[str, bool] = {}
        self._by_subject: dict[str, list[Rule]] = {}
        for rule in rules:
            self._by_subject.setdefault(rule.subject, []).append(rule)
        self._by_type: dict[str, list[Rule]] = {}

    def bound(self, bound: Bound, opened: bool = True) -> None:
        """Check a file as text, unless it has been: `checked` holds the paths of those that have.

        `opened`: Caffe may come to read it; else its faults are no certain failure.
        """
        path = bound.source.path
        self._opened[path] = opened or self._opened.get(path, False)
        if bound.source.path not in self.checked:
            self.checked.add(bound.source.path)
            self._apply("Bound", bound, bound.source.path)
            self._documented(bound.problems, bound.source.path)
            if any(problem.kind in NO_CONTENT for problem in bound.problems):
                self._without_content.add(bound.source.path)

    def results(self) -> list[Finding]:
        """The findings; of a file that holds nothing to lint, only that it is so."""
        return [
            self._as_read(finding)
            for finding in self.findings
            if finding.name in NO_CONTENT or finding.place.source.path not in self._without_content
        ]

    def _as_read(self, finding: Finding) -> Finding:
        unread = not self._opened.get(finding.place.source.path, True)
        if unread and finding.effect is Effect.PARSE_FAILURE and finding.severity is Severity.ERROR:
            return finding._replace(severity=Severity.WARNING)
        return finding

    def solver(self, solver: Solver) -> None:
        self._of_solvers.update(net.bound.source.path for net in solver.nets)
        self._of_solvers.add(solver.bound.source.path)
        self._documented(solver.problems, solver.path)
        self._apply("Solver", solver, solver.path)

    def deployment(self, pair: Deployment) -> None:
        """Check a deploy net against the training net; what is wrong with it alone is not said here."""
        self._apply("Deployment", pair, pair.deploy.path)

    def target(self, given: Targeted) -> None:
        """Check a net for the program that shall use it."""
        self._apply("Targeted", given, given.net.path)

    def net(self, net: Net) -> bool:
        """Whether anything was found, or broke."""
        before = len(self.findings) + len(self.failures)
        self._documented(net.problems, net.path)
        self._apply("Net", net, net.path)
        for layer in net.layers:
            for rule in self._layer_rules(layer.type):
                self._check(rule, layer, net.path)
        return len(self.findings) + len(self.failures) > before

    def beside(self, beside: Beside) -> None:
        """What lies beside the nets of a file: each source that is there, then all together."""
        for source in beside.sources:
            if source.account.state != "absent":
                self._apply("Source", source, source.at().source.path)
        self._apply("Beside", beside, "")

    def directive(self, unused: Directive) -> None:
        self._apply("Directive", unused, unused.place.source.path)

    def applied(self, rule: Rule, path: str) -> bool:
        """Whether a rule is part of the run and has seen what it looks at: a net alone has no solver."""
        return rule.code in self._codes and (rule.subject != "Solver" or path in self._of_solvers)

    def _documented(self, problems: Iterable[Problem], path: str) -> None:
        """A problem of a kind that no rule documents would be lost without a word: that is a bug."""
        for kind in {problem.kind for problem in problems} - self._names:
            self.failures.append(f"internal error: no rule documents `{kind}`, met in `{path}`. Please report this")

    def _apply(self, subject: str, value: Subject, path: str) -> None:
        for rule in self._by_subject.get(subject, ()):
            self._check(rule, value, path)

    def _check(self, rule: Rule, subject: Any, path: str) -> None:
        problems: Iterable[Problem] = ()
        try:
            problems = rule.check(subject)
            for problem in problems:
                self.findings.append(_as_it_runs(rule.finding(problem), subject))
        except Exception as error:  # whatever a rule raises
            self.failures.append(internal_error(f"rule {rule.code} {rule.name}", path, error))

    def _layer_rules(self, layer_type: str) -> list[Rule]:
        known = self._by_type.get(layer_type)
        if known is None:
            rules = self._by_subject.get("Layer", ())
            known = [rule for rule in rules if not rule.layers or layer_type in rule.layers]
            self._by_type[layer_type] = known
        return known


def _as_it_runs(finding: Finding, subject: Any) -> Finding:
    """Nothing is certain of a net for a fork but its wiring, and no failure at run time of a net that never runs."""
    net = subject if isinstance(subject, Net) else getattr(subject, "net", None)
    if not isinstance(net, Net):
        return finding
    idle = not net.runs and finding.effect in _WHEN_RUN
    if not idle and (not net.foreign or finding.name in SURE_IN_FORKS):
        return finding
    return finding._replace(severity=min(finding.severity, Severity.WARNING, key=lambda one: one.rank))
