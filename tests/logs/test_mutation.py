"""No damage makes reading or judging a log fail."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest

from nanlint.diagnosis import diagnose
from nanlint.logs.files import read
from nanlint.report.logs.document import parts
from nanlint.report.logs.rows import rows
from nanlint.report.logs.summary import findings, overview
from tests.logs.mutation import mutated
from tests.logs.samples import DONE, begun, glog, shown

_SEEDS = 3000


def whole_logs() -> list[bytes]:
    """A healthy run, a bad one with `debug_info`, and an abort."""
    tested = [glog("Iteration 0, Testing net (#0)"), glog("    Test net output #0: acc = 0.5")]
    healthy = [*begun(), *tested, *(line for at in range(12) for line in shown(at * 10, 1.4 / (1 + at))), *DONE]
    passes = [
        glog(f"[{step}] Layer {layer}, {kind} blob {blob} data: {value}", "net.cpp:599")
        for value in ("0.5", "0", "inf")
        for step, layer, kind, blob in (
            ("Forward", "data", "top", "data"),
            ("Forward", "ip", "top", "ip"),
            ("Forward", "ip", "param", "0"),
            ("Backward", "ip", "param", "0"),
        )
    ]
    debug = [*begun(), *passes[:4], *shown(0, 1.4), *passes[4:8], *shown(10, 30.5), *passes[8:], *shown(20, "nan")]
    failed = glog("Check failed: a == b (1 vs. 2)", "net.cpp:375", "F")
    aborted = [*begun(), failed, "*** Check failure stack trace: ***"]
    return ["\n".join(lines).encode() for lines in (healthy, debug, aborted)]


@pytest.mark.parametrize("seeds", [range(40), pytest.param(range(40, _SEEDS), marks=pytest.mark.slow)])
def test_every_mutation_is_read_and_judged(seeds: range, tmp_path: Path) -> None:
    logs, path = whole_logs(), tmp_path / "train.log"
    for seed in seeds:
        chance = random.Random(seed)
        path.write_bytes(mutated(chance.choice(logs), chance.choice(logs), chance))
        began = time.process_time()
        log = read(str(path))
        found = diagnose(log)
        document = json.loads("\n".join(parts(log, found)))
        assert len(document["losses"]) == len(log.losses), seed
        list(rows(log))
        list(overview(log, lambda _, text: text))
        list(findings(log, found, 80, lambda _, text: text))
        assert time.process_time() - began < 20, seed
