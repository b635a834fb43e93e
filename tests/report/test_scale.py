"""The table of scales: a bar a layer, the first loss, the risk."""

from __future__ import annotations

import json
from pathlib import Path

from nanlint.report.scale import dumps, lines
from tests.analysis import nets

TEXT = (
    nets.dummy('type: "gaussian" std: 100', "value: 1")
    + nets.inner_product("a", "data", 8, 'type: "gaussian" std: 0.025')
    + nets.loss("a").replace('bottom: "target"', 'bottom: "target"')
).replace("dim: 8 dim: 4", "dim: 8 dim: 8")


def test_the_bar_shows_powers_of_ten(tmp_path: Path) -> None:
    solver = nets.solver(tmp_path, TEXT, 'base_lr: 1e-5\nlr_policy: "fixed"\nmax_iter: 9')
    table = list(lines([(solver.path, solver, solver.nets)], 100))
    rows = {line.split()[0]: line for line in table[2:]}
    assert "|######" in rows["data"]
    assert "|###" in rows["a"]
    assert any(line.startswith("  expected first loss: loss ") for line in table)
    assert any(line.startswith("  risk ") for line in table)
    assert table[-1].startswith("  the net bears a `base_lr` of about ")


def test_the_json_has_every_layer(tmp_path: Path) -> None:
    solver = nets.solver(tmp_path, TEXT)
    net = json.loads(dumps([(solver.path, solver, solver.nets)]))["files"][0]["nets"][0]
    assert [layer["name"] for layer in net["layers"]] == ["data", "a", "loss"]
    assert net["layers"][0]["activation"] == 100
    assert net["first_loss"] > 0


def test_an_unknown_net_is_said_to_be_unknown(tmp_path: Path) -> None:
    solver = nets.solver(tmp_path, 'layer { name: "d" type: "MemoryData" top: "x" top: "y" }')
    assert "  no scale is known: the files do not show that of the data" in lines(
        [(solver.path, solver, solver.nets)], 80
    )
