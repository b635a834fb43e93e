from __future__ import annotations

from pathlib import Path

from nanlint import engine
from nanlint.config import Settings
from nanlint.findings import Finding, Report
from nanlint.rules.registry import rules

SOLVER = """net: "net.prototxt"
base_lr: 10
lr_policy: "fixed"
max_iter: 100
display: 10
"""
NET = """layer { name: "data" type: "Data" top: "data" top: "label"
  data_param { source: "x" batch_size: 64 backend: LMDB }
  transform_param { crop_size: 28 } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 10 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
"""


def lint(folder: Path, net: str, solver: str = SOLVER, settings: Settings | None = None) -> Report:
    (folder / "net.prototxt").write_text(net)
    (folder / "solver.prototxt").write_text(solver)
    return engine.check([str(folder / "solver.prototxt")], settings)


def of(report: Report, code: str) -> list[Finding]:
    return [one for one in report.findings if one.code == code]


def test_the_scale_of_the_input_explains_what_the_loss_begins_with(tmp_path: Path) -> None:
    report = lint(tmp_path, NET)
    (pixels,), (loss,) = of(report, "INP001"), of(report, "BLW007")
    assert loss.explained_by == (pixels.reference,)
    assert loss.reference in pixels.explains
    assert pixels.explained_by == ()


def test_a_cause_that_is_not_reported_explains_nothing(tmp_path: Path) -> None:
    report = lint(tmp_path, NET, settings=Settings(ignore=("INP001",)))
    assert of(report, "BLW007")[0].explained_by == ()


def test_a_solver_is_not_explained_by_the_net_of_another(tmp_path: Path) -> None:
    for name, net in (("a", NET), ("b", NET.replace("crop_size: 28", "scale: 2 crop_size: 28"))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "net.prototxt").write_text(net)
        (tmp_path / name / "solver.prototxt").write_text(SOLVER)
    losses = of(engine.check([str(tmp_path)]), "BLW007")
    causes = {Path(one.place.source.path).parent.name: one.explained_by for one in losses}
    assert causes["a"]
    assert causes["b"] == ()


def test_a_field_that_cannot_be_read_explains_what_its_absence_breaks_above_it(tmp_path: Path) -> None:
    net = NET.replace("num_output: 10", "outputs_of_this: 10")
    report = lint(tmp_path, net)
    (unknown,) = of(report, "TXT008")
    (missing,) = of(report, "SET007")
    assert missing.explained_by == (unknown.reference,)


def test_no_rule_explains_itself_in_a_circle() -> None:
    explained_by = {rule.name: rule.explained_by for rule in rules()}
    known = set(explained_by)

    def leads_to(name: str, goal: str) -> bool:
        return any(cause == goal or leads_to(cause, goal) for cause in explained_by[name])

    for name, causes in explained_by.items():
        assert set(causes) <= known, name
        assert not leads_to(name, name), name
