"""Which finding is the cause of which: what a rule, a problem or an unread field says of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from nanlint.caffe.model import Layer, Net
from nanlint.engine.load import Loaded
from nanlint.findings import Effect, Finding, Reference, Severity
from nanlint.rules.registry import rules
from nanlint.text.source import Place

_OF_SETUP = (Effect.SETUP_FAILURE, Effect.RUN_FAILURE, Effect.MEMORY_ERROR)


def with_causes(findings: Sequence[Finding], loaded: Sequence[Loaded]) -> list[Finding]:
    """The findings with `explained_by` and `explains`; no chain of causes leads back to where it began."""
    candidates = _Candidates(findings, loaded)
    causes: dict[int, list[int]] = {}
    for number, finding in enumerate(findings):
        for other in candidates.of(finding):
            if other != number and _weighty(findings[other], finding) and not _leads_to(other, number, causes):
                causes.setdefault(number, []).append(other)
    return _with_one_fix(linked(findings, causes), causes) if causes else list(findings)


def _with_one_fix(findings: Sequence[Finding], causes: Mapping[int, list[int]]) -> list[Finding]:
    """The findings without the fixes that are a part of the fix of their cause."""
    kept = list(findings)
    for number, found in causes.items():
        fix = findings[number].fix
        fixes = [findings[cause].fix for cause in found]
        if fix is not None and any(other is not None and set(fix.edits) <= set(other.edits) for other in fixes):
            kept[number] = findings[number]._replace(fix=None)
    return kept


def linked(findings: Sequence[Finding], causes: Mapping[int, list[int]]) -> list[Finding]:
    """Findings with references to their causes, which are given as numbers by number, and back."""
    effects: dict[int, list[int]] = {}
    for number, found in causes.items():
        for cause in found:
            effects.setdefault(cause, []).append(number)
    return [
        finding._replace(
            explained_by=(*finding.explained_by, *_references(findings, causes.get(number, ()))),
            explains=(*finding.explains, *_references(findings, effects.get(number, ()))),
        )
        for number, finding in enumerate(findings)
    ]


def touches(one: Place, other: Place) -> bool:
    """Whether two places have text in common."""
    if one.source.path != other.source.path:
        return False
    first, second = one.span, other.span
    return first.start <= second.end and second.start <= first.end


def _references(findings: Sequence[Finding], numbers: Iterable[int]) -> tuple[Reference, ...]:
    return tuple(dict.fromkeys(findings[number].reference for number in numbers))


def _weighty(cause: Finding, effect: Finding) -> bool:
    """A warning is never hidden behind what is only worth knowing."""
    return cause.severity.rank >= min(effect.severity.rank, Severity.WARNING.rank)


def _same_phase(one: Finding, other: Finding) -> bool:
    return one.phase is None or other.phase is None or one.phase == other.phase


def _leads_to(number: int, goal: int, causes: Mapping[int, list[int]]) -> bool:
    """Whether `goal` is among the causes of a finding, or of its causes."""
    return any(cause == goal or _leads_to(cause, goal, causes) for cause in causes.get(number, ()))


class _Candidates:
    """Where to look for the causes of a finding. Files belong together that one solver joins."""

    def __init__(self, findings: Sequence[Finding], loaded: Sequence[Loaded]) -> None:
        self._findings = findings
        self._named = {rule.name: rule.explained_by for rule in rules() if rule.explained_by}
        self._by_name: dict[str, list[int]] = {}
        self._by_path: dict[str, list[int]] = {}
        self._unread: dict[str, list[int]] = {}
        for number, finding in enumerate(findings):
            self._by_name.setdefault(finding.name, []).append(number)
            self._by_path.setdefault(finding.place.source.path, []).append(number)
            if finding.effect is Effect.PARSE_FAILURE and finding.fix is None and finding.layer is not None:
                self._unread.setdefault(finding.place.source.path, []).append(number)
        self._nets: dict[str, list[Net]] = {}
        self._members: dict[str, set[int]] = {}
        for number, one in enumerate(loaded):
            for path in {one.path, *(net.path for net in one.nets)}:
                self._members.setdefault(path, set()).add(number)
            for net in one.nets:
                self._nets.setdefault(net.path, []).append(net)

    def of(self, finding: Finding) -> list[int]:
        """The causes of a finding that are in the run, each once, in the order of the findings."""
        found = {
            number
            for name in self._named.get(finding.name, ())
            for number in self._by_name.get(name, ())
            if self._together(self._findings[number], finding) and _same_phase(self._findings[number], finding)
        }
        for place in finding.because:
            for number in self._by_path.get(place.source.path, ()):
                if touches(self._findings[number].place, place):
                    found.add(number)
        return sorted(found.union(self._unread_before(finding)))

    def _together(self, one: Finding, other: Finding) -> bool:
        first, second = one.place.source.path, other.place.source.path
        return first == second or not self._members.get(first, set()).isdisjoint(self._members.get(second, ()))

    def _unread_before(self, effect: Finding) -> Iterator[int]:
        """Text that could not be read, and so is missing, in the layer of a finding about building the net, or
        in one from which that layer's bottoms come."""
        path = effect.place.source.path
        unread = self._unread.get(path) if effect.layer is not None and effect.effect in _OF_SETUP else None
        if not unread:
            return
        names = {
            layer.name
            for net in self._nets.get(path, ())
            for reader in net.layers
            if reader.name == effect.layer
            for layer in above(reader)
        }
        yield from (number for number in unread if self._findings[number].layer in names)


def above(layer: Layer) -> Iterator[Layer]:
    """A layer, and all from which its bottoms come, nearest first."""
    seen = {id(layer)}
    queue = [layer]
    for one in queue:
        yield one
        for blob in one.bottoms:
            if id(blob.producer) not in seen:
                seen.add(id(blob.producer))
                queue.append(blob.producer)
