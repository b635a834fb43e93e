"""Small deterministic nets, run as Caffe runs them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from nanlint.analysis.replay import blowup
from tests.rules.solving import LINE, STILL, load

RUN = 'lr_policy: "fixed" base_lr: 0.1 max_iter: 60 '


@pytest.mark.parametrize(
    ("solver", "net", "iteration", "where"),
    [
        ('momentum: -1 type: "Adam"', LINE, 1, "a weight of `ip`"),
        ('type: "AdaGrad" delta: 0', STILL, 0, "a weight of `ip`"),
        ('type: "AdaDelta" delta: -1e-8 momentum: 0.9', LINE, 0, "a weight of `ip`"),
        ("momentum: 10", LINE, 22, "`loss`, the top of `loss`,"),
    ],
)
def test_names_the_first_number_that_is_not_finite(
    tmp_path: Path, solver: str, net: str, iteration: int, where: str
) -> None:
    found = blowup(load(tmp_path, RUN + solver, net))
    assert found is not None
    assert (found.iteration, found.where) == (iteration, where)
    assert not math.isfinite(found.value)


@pytest.mark.parametrize(
    ("solver", "net"),
    [
        ("", LINE),
        ('type: "AdaGrad" delta: 0', LINE),
        ('type: "AdaGrad" delta: 0 weight_decay: 0.1', STILL),
        ("momentum: 10 clip_gradients: 0", LINE),
        ("momentum: 10", STILL),
        ("momentum: 10", LINE.replace("constant", "gaussian")),
        ('momentum: 10 weights: "m.caffemodel"', LINE),
    ],
)
def test_claims_nothing_else(tmp_path: Path, solver: str, net: str) -> None:
    assert blowup(load(tmp_path, RUN + solver, net)) is None


def test_agrees_with_every_run_of_caffe(shared: Path, tmp_path: Path) -> None:
    """The judge's runs of nets like these: what blew up, and when."""
    proved = 0
    for line in (shared / "oracle/cases/solver_types.jsonl").read_text().splitlines():
        case = json.loads(line)
        caffe = case["caffe"]
        if case.get("args") or caffe["outcome"] != "ok":
            continue
        found = blowup(load(tmp_path, case["files"]["solver.prototxt"], case["files"]["net.prototxt"]))
        if found is not None:
            proved += 1
            assert caffe["nonfinite"] is not None, case["id"]
            assert caffe["nonfinite"]["iter"] in (found.iteration, found.iteration + 1), case["id"]
    assert proved > 20
