"""What is said of a run: the likeliest cause first, and the rule that foretold it."""

from __future__ import annotations

import math

import pytest

from nanlint.diagnosis import diagnose
from nanlint.findings import Severity
from nanlint.logs.finding import LogFinding
from tests.logs.samples import DONE, NET, SOLVER, begun, glog, read, shown


def said(*lines: str) -> list[LogFinding]:
    return diagnose(read(*lines))


def causes(*lines: str) -> list[str]:
    return [one.cause for one in said(*lines)]


def losses(values: list[object], rate: object = 0.01, step: int = 10) -> list[str]:
    return [line for at, value in enumerate(values) for line in shown(at * step, value, rate)]


def debug(text: str) -> str:
    return glog(text, "net.cpp:599")


FALLING: list[object] = [round(1.4 * math.exp(-at / 4), 6) for at in range(20)]


def loud(findings: list[LogFinding]) -> list[str]:
    return [one.cause for one in findings if one.severity is not Severity.INFO]


def test_a_healthy_run_is_silent() -> None:
    assert said(*begun(), *losses(FALLING), *DONE) == []


@pytest.mark.parametrize(
    "values",
    [
        [1.4, 0.9, 1.3, 0.5, 0.8, 0.3, 0.6, 0.2, 0.4, 0.1, 0.3, 0.1],
        [65.0, 21.5, 0.95, *[2e-5] * 12],
        [1.39, 1.38, 1.39, 1.37, 1.38, 1.2, 0.9, 0.5, 0.3, 0.2],
        [0.3, 0.31, 0.29, 0.3, 0.3, 0.28, 0.31, 0.3, 0.29, 0.3],
        [2.0, 1.0, 0.5, 1e-8, 1e-8, 1e-8, 0, 0, 0, 0],
        [2.0, 1e-8, 2e-8, 1e-8, 2e-8, 1e-8, 2e-8, 1e-8, 2e-8, 1e-8],
        [65.0, *[1.9e-6] * 12],
        [0.001, 0.002, 0.001, 0.001, 0.003, 0.002, 0.004, 0.003, 0.005, 0.004, 0.006, 0.005],
    ],
)
def test_noise_a_hard_start_and_a_plateau_below_chance_are_healthy(values: list[object]) -> None:
    assert not loud(said(*begun(), *losses(values), *DONE))


def test_an_abort_names_the_rule_that_foretells_it() -> None:
    net = NET.replace('type: "xavier"', 'type: "xaver"')
    (one,) = said(*begun(net=net), glog("Check failed: false Unknown filler name: xaver", "filler.hpp:294", "F"))
    assert (one.cause, one.severity, one.rule, one.layer) == ("abort", Severity.ERROR, "SET016", "ip")
    assert "line 35 of the log" in (one.told or "")


def test_an_abort_for_a_label_out_of_range() -> None:
    failed = glog("Check failed: label_value < num_labels (10 vs. 10)", "softmax_loss_layer.cpp:103", "F")
    assert causes(*begun(), failed) == ["label-out-of-range"]


def test_ends_without_fault() -> None:
    assert causes(*begun(), *losses(FALLING), glog("Optimization stopped early."), DONE[1]) == ["interrupted"]
    killed = said(*begun(), *losses(FALLING), "*** SIGTERM (@0x1) received by PID 7")
    assert [(one.cause, one.severity) for one in killed] == [("killed", Severity.INFO)]


def test_a_crash_after_the_end_makes_the_numbers_suspect() -> None:
    (one,) = said(*begun(), *losses(FALLING), *DONE, "free(): invalid next size (normal)")
    assert one.cause == "label-out-of-range"


def test_bad_data_is_seen_where_debug_info_is_on() -> None:
    bad = [debug("[Forward] Layer data, top blob data data: nan"), debug("[Forward] Layer ip, top blob ip data: nan")]
    (first, *_) = said(*begun(), *losses([1.4, 1.2]), *bad, *shown(20, "nan"))
    assert (first.cause, first.layer, first.iteration) == ("bad-input", "data", 20)


def passes(data: str, weight: str, gradient: str, top: str = "1") -> list[str]:
    return [
        debug(f"[Forward] Layer data, top blob data data: {data}"),
        debug(f"[Forward] Layer ip, top blob ip data: {top}"),
        debug(f"[Forward] Layer ip, param blob 0 data: {weight}"),
        debug(f"[Backward] Layer ip, param blob 0 diff: {gradient}"),
    ]


def test_bad_parameters_after_a_large_step_are_the_rates_fault() -> None:
    steep = [*passes("1", "0.1", "0.1"), *shown(0, 1.4, 60), *passes("1", "6", "0.5"), *shown(10, 60, 60)]
    assert causes(*begun(), *steep, *passes("1", "nan", "nan", "nan"), *shown(20, "nan", 60))[0] == "rate-too-high"


def test_bad_parameters_after_small_steps_are_the_datas_fault() -> None:
    calm = [*passes("1", "0.1", "0.1"), *shown(0, 1.4), *passes("1", "0.1", "0.1"), *shown(10, 1.3)]
    assert causes(*begun(), *calm, *passes("1", "nan", "nan", "nan"), *shown(20, "nan"))[0] == "bad-input"


def test_one_bad_batch_is_told_from_divergence() -> None:
    after = [line for at in range(4, 12) for line in shown(at, "nan", 0.01, 0.9)]
    findings = said(*begun(), *losses([1.4, 1.2, 1.0], step=1), *shown(3, "nan"), *after)
    assert findings[0].cause == "bad-input"
    assert "8 of 9 displayed training outputs are finite" in findings[0].message


def test_growing_losses_before_the_nan_are_the_rates_fault() -> None:
    findings = said(*begun(), *losses([1.4, 30.0, 80.0, "nan", "nan"]))
    assert findings[0].cause == "rate-too-high"
    assert "it arose after 20" in findings[0].message
    assert "`debug_info: true` and `display: 1`" in findings[0].message


def test_a_growing_rate() -> None:
    rows = [*shown(0, 1.0, 0.001), *shown(10, 0.5, 0.1), *shown(20, 90.0, 10.0), *shown(30, "nan", 100.0)]
    assert causes(*begun(), *rows)[0] == "rate-grows"


def test_what_only_the_test_net_has() -> None:
    tested = [glog("Iteration 0, Testing net (#0)"), glog("    Test net output #0: entropy = -inf")]
    assert loud(said(*begun(), *tested, *losses(FALLING), *DONE)) == ["test-only-bad"]


def test_a_log_layer_that_reads_0() -> None:
    log_layer = 'layer {\n  name: "log"\n  type: "Log"\n  bottom: "ip"\n  top: "log"\n}\n'
    bad = [debug("[Forward] Layer ip, top blob ip data: 1"), debug("[Forward] Layer log, top blob log data: inf")]
    (first, *_) = said(*begun(net=NET + log_layer), *bad, *shown(0, "inf"))
    assert (first.cause, first.layer, first.rule) == ("log-of-zero", "log", "NUM011")


@pytest.mark.parametrize(
    ("solver", "rate", "cause"), [("base_lr: 0", 0, "lr-zero"), ("base_lr: 1e-9", 1e-9, "lr-too-small")]
)
def test_a_rate_at_which_nothing_moves(solver: str, rate: float, cause: str) -> None:
    epoch: list[object] = [1.553, 1.374, 1.534, 1.385]
    assert causes(*begun(SOLVER.replace("base_lr: 0.01", solver)), *losses(epoch * 4, rate), *DONE)[0] == cause


def test_a_schedule_that_reaches_0_long_before_the_end() -> None:
    rows = [line for at in range(20) for line in shown(at * 10, 1.3 - at / 100, 0.01 if at < 8 else 1e-12)]
    (one,) = said(*begun(), *rows, *DONE)
    assert (one.cause, one.iteration) == ("schedule-zero", 80)


def test_the_level_of_guessing() -> None:
    findings = said(*begun(), *losses([1.4, *[1.3863, 1.3861, 1.3865] * 5]), *DONE)
    assert findings[0].cause == "stuck-ln-k"
    assert "ln 4" in findings[0].message


def test_three_heads_at_the_level_of_guessing() -> None:
    head = (
        'layer {{\n  name: "{0}"\n  type: "SoftmaxWithLoss"\n  bottom: "ip"\n  bottom: "label"\n  top: "{0}"\n'
        "  loss_weight: 0.3\n}}\n"
    )
    net = NET + head.format("a") + head.format("b")
    findings = said(*begun(net=net), *losses([2.3, *[1.6 * math.log(4)] * 12]), *DONE)
    assert findings[0].cause == "stuck-ln-k"
    assert "1.6 ln 4" in findings[0].message


def test_the_ceiling_of_the_softmax_loss() -> None:
    findings = said(*begun(), *losses([2.0, *[87.3365] * 10]), *DONE)
    assert findings[0].cause == "stuck-87"
    assert "every row" in findings[0].message


def test_dead_units_are_named() -> None:
    relu = 'layer {\n  name: "relu"\n  type: "ReLU"\n  bottom: "ip"\n  top: "ip"\n}\n'
    rows = []
    for at in range(12):
        rows += [
            debug("[Forward] Layer data, top blob data data: 1"),
            debug("[Forward] Layer ip, top blob ip data: 1"),
            debug("[Forward] Layer ip, param blob 0 data: 0.2"),
            debug("[Forward] Layer relu, top blob ip data: 0"),
            *shown(at * 10, 1.38629),
        ]
    (first, *_) = said(
        *begun(net=NET.replace('layer {\n  name: "loss"', relu + 'layer {\n  name: "loss"')), *rows, *DONE
    )
    assert (first.cause, first.layer) == ("dead-relu", "relu")


def test_a_loss_of_0_throughout() -> None:
    no_loss = NET[: NET.index('layer {\n  name: "loss"')]
    assert causes(*begun(net=no_loss), *losses([0] * 12), *DONE) == ["no-loss", "loss-zero"]


def test_a_run_that_only_reads_the_data() -> None:
    reading = NET[: NET.index('layer {\n  name: "ip"')]
    assert said(*begun(SOLVER.replace("0.01", "0"), reading), *losses([0] * 12, rate=0), *DONE) == []


def test_a_loss_that_rises() -> None:
    rising: list[object] = [2.2 * 1.5**at for at in range(15)]
    assert "diverging" in causes(*begun(), *losses(rising), *DONE)


def test_what_went_wrong_in_an_earlier_run_is_information() -> None:
    findings = said(*begun(), *losses([1.4, 30.0, "nan", "nan"]), *begun(), *losses(FALLING), *DONE)
    assert findings
    assert not loud(findings)
    assert findings[0].message.startswith("in run 1 of 2: ")


def test_overfitting_is_information() -> None:
    rows = []
    for at, loss in enumerate(FALLING):
        score = 1.0 - at / 10 if at < 5 else 0.5 + at / 20
        rows += [
            glog(f"Iteration {at}, Testing net (#0)"),
            glog(f"    Test net output #0: loss = {score} (* 1 = {score} loss)"),
        ]
        rows += shown(at, loss)
    (one,) = said(*begun(), *rows, *DONE)
    assert (one.cause, one.severity, one.iteration) == ("overfitting", Severity.INFO, 4)


def test_without_an_echo_the_numbers_alone_are_judged() -> None:
    assert causes(*losses([1.4, 30.0, 80.0, "nan"]))[0] == "rate-too-high"
