"""What each line of a log adds."""

from __future__ import annotations

import math

import pytest

from nanlint.logs.model import FirstBad, Log, Outcome
from tests.logs.samples import DONE, NET, SOLVER, begun, glog, read, shown


def bad_of(log: Log) -> FirstBad:
    assert log.first_bad is not None
    return log.first_bad


def test_a_run_from_its_echo_to_its_end() -> None:
    log = read(*begun(), *shown(0, 1.5), *shown(10, 0.75), glog("Iteration 40, loss = 0.5"), *DONE)
    (run,) = log.runs
    assert list(log.losses.rows()) == [(0, 1.5), (10, 0.75), (40, 0.5)]
    assert list(log.rates.rows()) == [(0, 0.01), (10, 0.01)]
    assert [log.outputs.name(row) for row in range(2)] == ["loss", "loss"]
    assert (run.max_iter, run.display, run.outcome) == (40, 10, Outcome.FINISHED)
    assert run.solver is not None
    assert (run.solver.text.strip(), run.solver.start) == (SOLVER.strip(), 3)
    assert [(net.phase, net.text.strip()) for net in run.nets] == [("TRAIN", NET.strip())]
    assert run.loss_weights == {"loss": 1}


@pytest.mark.parametrize(
    "line",
    [
        "Iteration 20, loss = 1.25",
        "Iteration 20 (3.91 iter/s, 25.5s/100 iters), loss = 1.25",
        "Iteration 20 (55.1 iter/s, 1.8s/100 iter), 1.1/10.7ep, loss = 1.25",
        "    [0.0] Iteration 20 (0.016 s), loss = 1.25",
        "Iteration 20 (-1.4013e-45 iter/s, 0s/20 iters), loss = 1.25",
    ],
)
@pytest.mark.parametrize(
    "before",
    [
        "I0706 19:56:35.974567 10017 solver.cpp:239] ",
        "I20260706 19:56:35.974567     7 solver.cpp:239] ",
        "2026-02-03T04:05:06.78Z I0706 19:56:35.974567 1934443264 solver.cpp:239] ",
        "[1,0]<stderr>:I0706 19:56:35.974567 10017 solver.cpp:239] ",
        "",
    ],
)
def test_loss_lines_of_every_version_and_prefix(before: str, line: str) -> None:
    assert list(read(before + line).losses.rows()) == [(20, 1.25)]


@pytest.mark.parametrize(
    ("spelt", "value"),
    [
        ("nan", math.nan),
        ("-nan", math.nan),
        ("NaN", math.nan),
        ("-nan(ind)", math.nan),
        ("-1.#IND", math.nan),
        ("1.#QNAN", math.nan),
        ("1.#INF", math.inf),
        ("inf", math.inf),
        ("-inf", -math.inf),
        ("-1.#INF", -math.inf),
        ("1.70497e+28", 1.70497e28),
        ("-0.5", -0.5),
    ],
)
def test_numbers_however_a_platform_spells_them(spelt: str, value: float) -> None:
    (found,) = read(glog(f"Iteration 1, loss = {spelt}")).losses.values
    assert found == value or (math.isnan(found) and math.isnan(value))


def test_the_rate_of_a_fork_that_prints_more_behind_it() -> None:
    log = read(glog("Iteration 20, lr = 0.01, m = 0.9, lrm = 0.1, wd = 0.0005, gs = 1"))
    assert list(log.rates.rows()) == [(20, 0.01)]


def test_scores_belong_to_the_test_before_them() -> None:
    log = read(
        glog("Iteration 0, Testing net (#0)"),
        glog("    Test net output #0: acc = 0.5"),
        glog("Iteration 0, Testing net (#1)"),
        glog("(0.0)    Test net output #1: a = b = 2 (* 0.5 = 1 loss)"),
        glog("Iteration 5, Testing net"),
        glog("Test score #0: 0.97"),
    )
    rows = zip(log.tests.iterations, log.tests.nets, log.tests.indices, log.tests.named, log.tests.values, strict=True)
    assert [(*row[:3], log.tests.names[row[3]], row[4]) for row in rows] == [
        (0, 0, 0, "acc", 0.5),
        (0, 1, 1, "a = b", 2.0),
        (5, 0, 0, "", 0.97),
    ]


def test_a_half_line_is_no_row() -> None:
    assert not read(glog("Iteration 45 (1 iter/s, 0s/")).losses


def test_two_lines_run_into_one() -> None:
    log = read(glog("Iteration 1, lo") + glog("Iteration 2, loss = 0.5"), glog("Iter") + glog("Iteration 3, lr = 1"))
    assert list(log.losses.rows()) == [(2, 0.5)]
    assert list(log.rates.rows()) == [(3, 1)]


def test_an_echo_with_other_lines_between_its_own() -> None:
    lines = begun()
    lines.insert(4, "nohup: ignoring input and so on")
    inside = lines.index("layer {") + 1
    lines.insert(inside, glog("Prefetch batch: 0 ms.", "data_layer.cpp:128", thread=9))
    run = read(*lines).runs[0]
    assert run.solver is not None
    assert "nohup" not in run.solver.text
    assert 'type: "SoftmaxWithLoss"' in run.nets[0].text
    assert "Prefetch" not in run.nets[0].text


def test_an_echo_behind_container_times() -> None:
    times = (f"2026-02-03T04:05:{second:02}.78Z {line}" for second, line in enumerate(begun()))
    run = read(*times).runs[0]
    assert run.nets[0].text.strip() == NET.strip()


def test_the_inner_net_of_a_recurrent_layer_is_no_net_of_the_run() -> None:
    inner = [glog("Initializing net from parameters: "), 'name: "unrolled"', glog("Creating layer x")]
    assert len(read(*begun(), *inner).runs[0].nets) == 1


def test_runs_in_one_file() -> None:
    failed = [*begun(), glog("Check failed: a == b (1 vs. 2)", "net.cpp:375", "F")]
    resumed = [*begun(), glog("Restoring previous solver status from x_iter_20.solverstate"), *shown(20, 0.5)]
    log = read(*failed, *begun(), *shown(0, 1.0), *shown(30, 0.6), *resumed, *DONE)
    assert [run.outcome for run in log.runs] == [Outcome.ABORTED, Outcome.CUT, Outcome.FINISHED]
    assert log.runs[2].from_iteration == 20
    assert log.failure is not None
    assert (log.failure.file, log.failure.line) == ("net.cpp", 375)
    assert [row[0] for row in log.losses.rows()] == [0, 30, 20]


@pytest.mark.parametrize(
    ("lines", "outcome"),
    [
        ([], Outcome.CUT),
        (DONE, Outcome.FINISHED),
        ([glog("Optimization stopped early."), DONE[1]], Outcome.INTERRUPTED),
        ([glog("Check failed: fd != -1", "io.cpp:67", "F"), "*** SIGABRT (@0x1) received"], Outcome.ABORTED),
        (["*** SIGSEGV (@0x0) received by PID 7"], Outcome.CRASHED),
        (["terminate called after throwing an instance of 'std::bad_alloc'"], Outcome.CRASHED),
        (["free(): invalid next size (normal)"], Outcome.CRASHED),
        ([*DONE, "double free or corruption (out)"], Outcome.FINISHED),
        (["*** SIGTERM (@0x3e8) received by PID 7"], Outcome.CUT),
    ],
)
def test_outcomes(lines: list[str], outcome: Outcome) -> None:
    assert read(*begun(), *shown(0, 1.0), *lines).runs[-1].outcome is outcome


def debug(text: str) -> str:
    return glog(text, "net.cpp:599")


def test_a_bad_forward_line_belongs_to_the_loss_line_after_it() -> None:
    log = read(
        *begun(),
        *shown(0, 1.0),
        debug("[Forward] Layer ip, top blob ip data: 0.5"),
        *shown(10, 1.0),
        debug("[Forward] Layer data, top blob data data: 0.5"),
        debug("[Forward] Layer ip, top blob ip data: inf"),
        debug("[Forward] Layer ip, param blob 0 data: nan"),
        *shown(20, "nan"),
    )
    bad = bad_of(log)
    assert (bad.iteration, bad.phase, bad.step, bad.layer, bad.blob, bad.value) == (
        20,
        "TRAIN",
        "forward",
        "ip",
        "ip",
        math.inf,
    )
    assert bad.shown_before == 10
    assert [math.isfinite(value.value) for value in bad.block.values()] == [True, False, False]
    assert [value.value for value in bad.earlier.values()] == [0.5]


def test_a_bad_backward_line_without_a_loss_line_after_it() -> None:
    log = read(*begun(), *shown(30, 1.0), debug("[Backward] Layer ip, param blob 0 diff: nan"))
    assert (bad_of(log).iteration, bad_of(log).step) == (40, "backward")


def test_a_bad_update_belongs_to_the_rate_before_it() -> None:
    log = read(*begun(), *shown(30, 1.0), debug("[Update] Layer ip, param 0 data: 0.1; diff: nan"), *shown(40, 1.0))
    assert (bad_of(log).iteration, bad_of(log).step, bad_of(log).blob) == (30, "update", "0")


def test_a_test_net_is_at_work_until_its_first_score() -> None:
    testing = [glog("Iteration 0, Testing net (#0)"), debug("[Forward] Layer data, top blob data data: nan")]
    log = read(*begun(), *testing, glog("    Test net output #0: acc = 0.5"), *shown(0, 1.0))
    assert (bad_of(log).iteration, bad_of(log).phase, bad_of(log).layer) == (0, "TEST", "data")


def test_a_bad_output_without_debug_info() -> None:
    log = read(*begun(), *shown(0, 1.0), *shown(10, 1.0, output="nan"))
    assert (bad_of(log).step, bad_of(log).blob, bad_of(log).iteration) == ("train_output", "loss", 10)
    log = read(*begun(), *shown(0, 1.0), *shown(10, "inf"))
    assert (bad_of(log).step, bad_of(log).blob, bad_of(log).shown_before) == ("loss", None, 0)


def test_how_a_blob_went_is_kept_in_few_numbers() -> None:
    line = "[Forward] Layer relu, top blob ip data: {}"
    lines = [one for n, value in enumerate((1, 3, 0, 0)) for one in (debug(line.format(value)), *shown(n, 1.0))]
    (track,) = read(*begun(), *lines).runs[0].debug.values()
    assert (track.count, track.first, track.peak, track.last, track.zero_streak) == (4, 1, 3, 0, 2)


@pytest.mark.parametrize(
    "text",
    [
        "Iteration 1 " * 100_000,
        "[Forward] Layer " * 100_000,
        "Train net output #0: " * 100_000,
        "Iteration 99999999999999999999999999, loss = 1",
        "Iteration 1, loss = 1e999999",
        "    Train net output #99999999999999999999: x = 1",
        "Iteration 1\ud800, loss = \ud800",
    ],
)
def test_hostile_lines(text: str) -> None:
    read(glog(text), text, *shown(1, 0.5))
