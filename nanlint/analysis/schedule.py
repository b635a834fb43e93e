"""The learning rate at every iteration, in the arithmetic of `caffe train`.

Facts from src/caffe/solvers/sgd_solver.cpp, GetLearningRate: step, exp and multistep take the power
in double and round the product, inv, poly and sigmoid compute in 32-bit floats throughout.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import merge
from itertools import groupby
from typing import TYPE_CHECKING

from nanlint.caffe.solver import iterations
from nanlint.numbers.float32 import divide, exponential, f32, power

if TYPE_CHECKING:
    from nanlint.schema.caffe_pb2 import SolverParameter

POLICIES = ("fixed", "step", "exp", "inv", "multistep", "poly", "sigmoid")

# the fields that each policy reads beside base_lr, in the order in which Caffe looks at them
FIELDS: dict[str, tuple[str, ...]] = {
    "fixed": (),
    "step": ("stepsize", "gamma"),
    "exp": ("gamma",),
    "inv": ("gamma", "power"),
    "multistep": ("stepvalue", "gamma"),
    "poly": ("max_iter", "power"),
    "sigmoid": ("gamma", "stepsize"),
}


@dataclass(frozen=True)
class Schedule:
    """The learning rate of one solver as a function of the iteration.

    `last` is the last iteration that `caffe train` runs (-1: none). `switches` are the iterations at
    which `multistep` takes a step: at most one an iteration, in the order of `stepvalue`. A resumed run
    begins at `begin`, with `taken` steps of `multistep` behind it.
    """

    policy: str
    base: float
    gamma: float
    power: float
    stepsize: int
    max_iter: int
    last: int
    switches: tuple[int, ...] = ()
    begin: int = 0
    taken: int = 0

    def step(self, iteration: int) -> int:
        """How many steps have been taken (current_step_) when `iteration` runs."""
        if self.policy == "step":
            return iteration // self.stepsize
        if self.policy == "multistep":
            return self.taken + bisect_right(self.switches, iteration)
        return 0

    def rate(self, iteration: int) -> float:
        """The learning rate of an iteration, a 32-bit float; may be infinite or nan, as in Caffe."""
        return f32(_RATES[self.policy](self, iteration))

    @property
    def knots(self) -> tuple[int, ...]:
        """Iterations between which the rate is monotone, and once infinite or nan stays so."""
        inner = {0, 1, *self.switches}
        if self.policy == "sigmoid":
            inner |= {self.stepsize - 1, self.stepsize, self.stepsize + 1}
        return tuple(sorted({it for it in inner if 0 <= it < self.last} | {max(self.last, 0)}))

    def first(self, is_so: Callable[[float], bool]) -> int | None:
        """The first iteration of the run whose rate satisfies a predicate that is monotone between knots."""
        if self.last < 0:
            return None
        before = -1
        for knot in self.knots:
            if is_so(self.rate(knot)):
                return _bisect(lambda it: is_so(self.rate(it)), before, knot)
            before = knot
        return None

    def changes(self) -> Iterator[int]:
        """The iterations of the run at which a step is taken."""
        if self.policy == "step":
            first = (self.begin // self.stepsize + 1) * self.stepsize
            yield from range(first, self.last + 1, self.stepsize)
        elif self.policy == "multistep":
            yield from (it for it in self.switches if it <= self.last)


def refusal(param: SolverParameter) -> tuple[str, str] | None:
    """Why Caffe aborts at the first rate: the field, and which of its checks fails first."""
    policy = param.lr_policy
    if policy not in FIELDS:
        return "lr_policy", "unknown"
    for name in FIELDS[policy]:
        if name == "stepsize" and param.stepsize <= 0:
            return name, "not positive"
        if name == "gamma" and not param.gamma >= 0:
            return name, "negative"
    return None


def schedule(param: SolverParameter) -> Schedule | None:
    """The schedule of a solver; None where Caffe aborts at the first rate."""
    if refusal(param):
        return None
    return Schedule(
        param.lr_policy,
        param.base_lr,
        param.gamma,
        param.power,
        param.stepsize,
        param.max_iter,
        iterations(param) - 1,
        _switches(param.stepvalue) if param.lr_policy == "multistep" else (),
    )


def until_iteration(of: Schedule, number: int) -> Schedule:
    """The schedule over `number` iterations, as `solver.step(number)` runs them, past `max_iter` too."""
    return replace(of, last=of.begin + number - 1)


def resumed(of: Schedule, stepvalues: Sequence[int], iteration: int, step: int) -> Schedule:
    """The schedule of a run that goes on from a snapshot: from its `iter`, with its `current_step`.

    `multistep` goes on with the stored number of steps and catches up one an iteration; it never goes back.
    """
    return replace(of, begin=iteration, taken=step, switches=_switches(stepvalues[step:], iteration))


MOST_STEPS = 10_000
"""Changes of step that are shown one by one to people."""


def rows(of: Schedule, every: int, most_steps: int = MOST_STEPS) -> int:
    """About how many rates `thinned` gives."""
    return max(of.last - of.begin + 1, 0) // every + (_steps(of) if _steps(of) <= most_steps else 0)


def thinned(of: Schedule, every: int, most_steps: int = MOST_STEPS) -> Iterator[tuple[int, float]]:
    """Iterations with their rates: every `every`-th, the first, the last, and each that takes a step.

    Of a run that takes more than `most_steps` steps, those are not all shown.
    """
    last = [of.last] if of.last >= of.begin else []
    changes = of.changes() if _steps(of) <= most_steps else ()
    for iteration, _ in groupby(merge(range(of.begin, of.last + 1, every), changes, last)):
        yield iteration, of.rate(iteration)


def _steps(of: Schedule) -> int:
    if of.policy == "step":
        return max(of.last - of.begin, 0) // of.stepsize
    return len(of.switches) if of.policy == "multistep" else 0


def _switches(stepvalues: Sequence[int], free: int = 0) -> tuple[int, ...]:
    """When each step is taken, if `free` is the first iteration that can take one."""
    switches: list[int] = []
    for value in stepvalues:
        at = max(value, free)
        switches.append(at)
        free = at + 1
    return tuple(switches)


def _bisect(is_so: Callable[[int], bool], no: int, yes: int) -> int:
    while yes - no > 1:
        middle = (no + yes) // 2
        if is_so(middle):
            yes = middle
        else:
            no = middle
    return yes


def _powers_of_gamma(of: Schedule, steps: int) -> float:
    return of.base * power(of.gamma, steps)


def _inv(of: Schedule, iteration: int) -> float:
    grown = f32(1.0 + f32(of.gamma * f32(iteration)))
    return of.base * f32(power(grown, -of.power))


def _poly(of: Schedule, iteration: int) -> float:
    left = f32(1.0 - f32(divide(f32(iteration), f32(of.max_iter))))
    return of.base * f32(power(left, of.power))


def _sigmoid(of: Schedule, iteration: int) -> float:
    below = f32(exponential(f32(-of.gamma * f32(f32(iteration) - f32(of.stepsize)))))
    return of.base * f32(divide(1.0, f32(1.0 + below)))


_RATES: dict[str, Callable[[Schedule, int], float]] = {
    "fixed": lambda of, iteration: of.base,
    "step": lambda of, iteration: _powers_of_gamma(of, of.step(iteration)),
    "exp": _powers_of_gamma,
    "inv": _inv,
    "multistep": lambda of, iteration: _powers_of_gamma(of, of.step(iteration)),
    "poly": _poly,
    "sigmoid": _sigmoid,
}
