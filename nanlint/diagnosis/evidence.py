"""What the causes are judged by: one run's rows, its net, and what the rules foretell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from nanlint.caffe.model import Layer
from nanlint.diagnosis.lint import Linted
from nanlint.findings import Finding, Severity
from nanlint.logs.finding import LogFinding
from nanlint.logs.model import FirstBad, Log, Outcome, Run
from nanlint.logs.series import Series

CEILING = 87.33654
"""-ln(FLT_MIN): what SoftmaxWithLoss gives where the probability of the label is 0 (softmax_loss_layer.cpp)."""

@dataclass
class Evidence:
    """One run of a log. `end`: where the rows of the next run begin, by series."""

    log: Log
    run: Run
    following: Run | None
    linted: Linted

    @cached_property
    def losses(self) -> tuple[Sequence[int], Sequence[float]]:
        """Iterations and values of the loss lines."""
        return self._rows(self.log.losses, "losses_from")

    @cached_property
    def rates(self) -> tuple[Sequence[int], Sequence[float]]:
        """Iterations and values of the rate lines."""
        return self._rows(self.log.rates, "rates_from")

    def _rows(self, series: Series, start: str) -> tuple[Sequence[int], Sequence[float]]:
        rows = slice(getattr(self.run, start), getattr(self.following, start) if self.following else None)
        return series.iterations[rows], series.values[rows]

    @cached_property
    def outputs(self) -> dict[str, list[float]]:
        """The values of each training output that is a loss, by name."""
        outputs = self.log.outputs
        found: dict[str, list[float]] = {}
        end = self.following.outputs_from if self.following else len(outputs)
        wanted = {at: name for at, name in enumerate(outputs.names) if name in self.run.loss_weights}
        for name in wanted.values():
            found[name] = []
        for row in range(self.run.outputs_from, end):
            if outputs.named[row] in wanted:
                found[wanted[outputs.named[row]]].append(outputs.values[row])
        return found

    @cached_property
    def finite(self) -> list[float]:
        """The finite losses, in order."""
        return [value for value in self.losses[1] if math.isfinite(value)]

    @property
    def bad(self) -> FirstBad | None:
        """The run's first number that is NaN or infinite: of the training net, if it has one."""
        return self.run.first_bad_trained or self.run.first_bad

    @property
    def fresh(self) -> bool:
        """Whether the weights are those that the fillers made."""
        return self.run.weights is None and self.run.resumed is None and self.run.from_iteration == 0

    @property
    def over(self) -> bool:
        """Whether the run went to its end."""
        return self.run.outcome is Outcome.FINISHED

    @property
    def span(self) -> int:
        """How many iterations the loss lines span."""
        iterations = self.losses[0]
        return iterations[-1] - iterations[0] if len(iterations) else 0

    @cached_property
    def softmax_weights(self) -> list[tuple[float, int | None]]:
        """Each softmax loss of the training net with its weight and the number of its classes, None if unknown."""
        net = self.linted.train
        if net is None:
            return []
        found = []
        for layer in net.layers:
            if layer.facts.logarithmic and layer.loss_weights and layer.loss_weights[0] and layer.bottoms:
                shape = layer.bottoms[0].shape
                axis = layer.param.softmax_param.axis
                classes = shape[axis] if shape is not None and -len(shape) <= axis < len(shape) else None
                found.append((layer.loss_weights[0], classes))
        return found

    @property
    def only_softmax(self) -> bool:
        """Whether every loss of the training net is a softmax loss, as far as is known."""
        net = self.linted.train
        if net is None:
            return bool(self.run.loss_weights)
        return bool(self.softmax_weights) and len(self.softmax_weights) == sum(
            any(layer.loss_weights) for layer in net.layers
        )

    @cached_property
    def total_weight(self) -> float:
        """The sum of the weights of the softmax losses; of every loss output where the net is not known."""
        weights = [weight for weight, _ in self.softmax_weights] or list(self.run.loss_weights.values())
        return sum(weights) or 1.0

    @cached_property
    def chance_level(self) -> float | None:
        """The loss of a net that knows nothing: the sum of weight times ln(classes); None if not known."""
        if not self.only_softmax or any(not classes for _, classes in self.softmax_weights):
            return None
        return sum(weight * math.log(classes) for weight, classes in self.softmax_weights if classes) or None

    def layer(self, name: str | None) -> Layer | None:
        return self.linted.layer(name) if name else None

    def said(
        self,
        cause: str,
        message: str,
        *,
        layer: str | None = None,
        iteration: int | None = None,
        line: int | None = None,
        rules: Sequence[str] = (),
        severity: Severity | None = None,
    ) -> LogFinding:
        """A finding. `rules`: the names of those that foretell it; the first that was found is named."""
        rule = self.linted.first(rules, layer) if rules else None
        return self.told(cause, message, rule, layer=layer, iteration=iteration, line=line, severity=severity)

    def told(
        self,
        cause: str,
        message: str,
        rule: Finding | None,
        *,
        layer: str | None = None,
        iteration: int | None = None,
        line: int | None = None,
        severity: Severity | None = None,
    ) -> LogFinding:
        """A finding with the one of a rule that foretells it."""
        if severity is None:
            severity = Severity.ERROR if rule and rule.severity is Severity.ERROR else Severity.WARNING
        told = None
        if rule is not None:
            at = self.linted.line(rule)
            told = (f"line {at} of the log: " if at else "") + rule.message
        return LogFinding(
            cause, severity, message, layer or (rule.layer if rule else None), iteration, line, rule and rule.code, told
        )
