"""The learning rate policy: its name and the settings that it needs, refuses or ignores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.analysis.schedule import FIELDS, POLICIES
from nanlint.caffe.edits import renamed
from nanlint.caffe.solver import iterations
from nanlint.findings import Applicability, Edit, Effect, Fix, Problem, Related
from nanlint.rules import chains
from nanlint.rules.registry import ERROR, INFO, WARNING, finding, rule
from nanlint.rules.wording import for_a_fork, setting
from nanlint.schema.suggest import nearest

if TYPE_CHECKING:
    from nanlint.caffe.model import Solver

FORK_POLICIES = ("multifixed", "plateau")
"""Of intel/caffe and the SSD forks."""


@rule("LR002", "unknown-lr-policy", ERROR, effect=Effect.RUN_FAILURE, explained_by=chains.UNREAD)
def unknown_lr_policy(solver: Solver) -> Iterator[Problem]:
    """The `lr_policy` is none that Caffe knows.

    **In Caffe** the name is compared when the first learning rate is computed, after the first forward
    and backward pass (sgd_solver.cpp, GetLearningRate): "Unknown learning rate policy". Names are exact:
    no capitals, no blanks. Without an iteration (`max_iter: 0`) nobody looks. `plateau` and `multifixed`
    exist in forks.

    **Instead** write one of `fixed`, `step`, `exp`, `inv`, `multistep`, `poly`, `sigmoid`.
    """
    param = solver.param
    policy = param.lr_policy
    if policy in POLICIES:
        return
    if not param.HasField("lr_policy"):
        message = (
            'no `lr_policy`: Caffe aborts at the first update; write one, `lr_policy: "fixed"` for instance'
        )
    else:
        message = (
            f'`lr_policy: "{policy}"` is unknown to Caffe, which aborts at the first update; {_meant(policy)}'
        )
    lasting = iterations(param) > 0
    fork = for_a_fork(solver) or (policy in FORK_POLICIES and not solver.pinned)
    yield finding(
        solver.at("lr_policy"),
        message,
        fix=_policy_fix(solver),
        severity=None if lasting and not fork else WARNING if lasting else INFO,
        effect=None if lasting else Effect.NONE,
    )


@rule("LR003", "stepsize-not-positive", ERROR, effect=Effect.RUN_FAILURE, explained_by=chains.UNREAD)
def stepsize_not_positive(solver: Solver) -> Iterator[Problem]:
    """A `step` or `sigmoid` schedule has no positive `stepsize`.

    **In Caffe** `CHECK_GT(stepsize, 0)` fails when the first learning rate is computed (sgd_solver.cpp,
    GetLearningRate). The default is 0.

    **Instead** write after how many iterations the rate shall change: `stepsize: 10000`.
    """
    param = solver.param
    if "stepsize" in FIELDS.get(param.lr_policy, ()) and param.stepsize <= 0:
        problem = _aborts(solver, "stepsize", f"`{param.lr_policy}` needs a positive `stepsize`")
        if param.HasField("stepsize") or len(param.stepvalue) != 1 or param.lr_policy != "step":
            yield problem
            return
        claim = problem.message.rpartition("; ")[0]
        yield problem._replace(
            place=solver.at("stepvalue[0]"),
            message=f"{claim}; `step` does not read `stepvalue`: write `stepsize: {param.stepvalue[0]}`",
            related=(Related("the policy", solver.at("lr_policy")),),
            fix=Fix(
                f"write `stepsize: {param.stepvalue[0]}`",
                (renamed(solver, "stepvalue[0]", "stepsize"),),
                Applicability.UNSAFE,
            ),
        )


@rule("LR004", "negative-gamma", ERROR, effect=Effect.RUN_FAILURE)
def negative_gamma(solver: Solver) -> Iterator[Problem]:
    """`gamma` is negative or nan.

    **In Caffe** `CHECK_GE(gamma, 0)` fails when the first learning rate is computed, under every policy
    that reads `gamma`: step, exp, inv, multistep, sigmoid (sgd_solver.cpp, GetLearningRate).

    **Instead** write a positive `gamma`; a falling `sigmoid` does not exist, since it needs a negative one.
    """
    param = solver.param
    if "gamma" in FIELDS.get(param.lr_policy, ()) and not param.gamma >= 0:
        yield _aborts(solver, "gamma", f"`{param.lr_policy}` takes no negative `gamma`")


@rule(
    "LR015",
    "unread-schedule-field",
    INFO,
    effect=Effect.NONE,
    explained_by=("stepsize-not-positive", "multistep-without-stepvalue"),
)
def unread_schedule_field(solver: Solver) -> Iterator[Problem]:
    """A field of the schedule is set that its `lr_policy` does not read.

    **In Caffe** each policy reads its own fields (sgd_solver.cpp, GetLearningRate): step `stepsize` and
    `gamma`; exp `gamma`; inv `gamma` and `power`; multistep `stepvalue` and `gamma`; poly `power` and
    `max_iter`; sigmoid `gamma` and `stepsize`. The others have no effect and are not checked.

    **Instead** remove the field, or choose the policy that reads it.
    """
    param = solver.param
    if param.lr_policy not in FIELDS:
        return
    read = FIELDS[param.lr_policy]
    for name in ("gamma", "power", "stepsize"):
        if param.HasField(name) and name not in read:
            yield _unread(solver, name, name)
    if param.stepvalue and "stepvalue" not in read:
        yield _unread(solver, "stepvalue", "stepvalue[0]")


def _unread(solver: Solver, name: str, route: str) -> Problem:
    by = [policy for policy, fields in FIELDS.items() if name in fields]
    return finding(
        solver.at(route),
        f'`{name}` has no effect under `lr_policy: "{solver.param.lr_policy}"` (it is read by '
        f"{', '.join(by)}); remove it",
    )


def _aborts(solver: Solver, name: str, rule_broken: str) -> Problem:
    lasting = iterations(solver.param) > 0
    when = (
        "and Caffe aborts at the first update"
        if lasting
        else "though without an iteration Caffe does not look"
    )
    return finding(
        solver.at(name if solver.param.HasField(name) else "lr_policy"),
        f"{setting(solver.param, name)}: {rule_broken}, {when}; write a positive one",
        severity=None if lasting else INFO,
        effect=None if lasting else Effect.NONE,
    )


def _meant(policy: str) -> str:
    if policy in FORK_POLICIES:
        return "it exists in forks alone"
    near = nearest(policy, POLICIES)
    if near:
        return f'did you mean `"{near[0]}"`?'
    return "write one of " + ", ".join(POLICIES)


def _policy_fix(solver: Solver) -> Fix | None:
    policy = solver.param.lr_policy
    plain = policy.strip().lower().replace("_", "")
    if plain not in POLICIES:
        return None
    place = solver.bound.place("lr_policy", value=True)
    return Fix(f'write `"{plain}"`', (Edit(place, f'"{plain}"'),), Applicability.SAFE)
