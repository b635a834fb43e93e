"""Why a layer makes NaN or infinity: each explanation stands beside the rule that tells it, and is found here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from nanlint.caffe.model import kept
from nanlint.numbers.float32 import f32
from nanlint.numbers.intervals import is_finite
from nanlint.rules.proof import Cause, problem, proved
from nanlint.rules.registry import rules

if TYPE_CHECKING:
    from nanlint.analysis.ranges import Birth
    from nanlint.caffe.model import Layer, Net
    from nanlint.findings import Problem

Explain = TypeVar("Explain", bound="Callable[[Birth], Cause | None]")

FIRST, USUAL, LAST = range(3)
"""When an explanation is asked: a broken setting before all, what is true of any layer after all."""


class _Explanation(NamedTuple):
    order: int
    explains: Callable[[Layer, bool], bool]
    explain: Callable[[Birth], Cause | None]


_explanations: list[_Explanation] = []


def explains(
    *types: str,
    of: Callable[[Layer], bool] | None = None,
    backward: bool | None = False,
    order: int = USUAL,
) -> Callable[[Explain], Explain]:
    """Register a function that says why layers of these types, or layers of which `of` is true, do it.

    `backward`: in the backward pass, in the forward pass, or (None) in both. A function that gives None leaves it to
    the next.
    """

    def applies(layer: Layer, is_backward: bool) -> bool:
        if backward is not None and is_backward is not backward:
            return False
        return (not types or layer.type in types) and (of is None or of(layer))

    def register(explain: Explain) -> Explain:
        _explanations.append(_Explanation(order, applies, explain))
        _explanations.sort(key=lambda one: one.order)
        return explain

    return register


@kept
def problems(net: Net) -> tuple[Problem, ...]:
    """Everything in a net that surely is not finite, as problems whose `kind` names the rule."""
    rules()  # so that every explanation is registered
    found = []
    for birth, got, severity in proved(net):
        cause = _cause(birth)
        if cause is not None:
            found.append(problem(birth, got, severity, cause))
    return tuple(found)


def of_kind(net: Net, kind: str) -> list[Problem]:
    """The problems of one rule."""
    return [found for found in problems(net) if found.kind == kind]


def _cause(birth: Birth) -> Cause | None:
    """Why the layer does it; None where another rule says it (Pooling windows, loss weights)."""
    layer = birth.step.layer
    if layer.type == "Pooling" or not all(is_finite(f32(weight)) for weight in layer.loss_weights):
        return None
    applying = (one.explain(birth) for one in _explanations if one.explains(layer, birth.backward))
    return next((cause for cause in applying if cause is not None), None)
