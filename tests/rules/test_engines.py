"""Code that only a GPU has."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.rules.engines import cudnn_on_cpu, stochastic_on_cpu
from tests.rules.nets import data, layer, solver


@pytest.mark.parametrize("mode", ["CPU", "GPU"])
def test_engines_and_methods_that_only_a_gpu_has(tmp_path: Path, mode: str) -> None:
    text = data(2, 3, 8, 8) + layer(
        "Pooling", "x", "p", "pooling_param { kernel_size: 2 pool: STOCHASTIC engine: CUDNN }"
    )
    run = solver(tmp_path, text, f"solver_mode: {mode}")
    expected = {"p"} if mode == "CPU" else set()
    assert {problem.layer for problem in cudnn_on_cpu(run)} == expected
    assert {problem.layer for problem in stochastic_on_cpu(run)} == expected
