"""A solver and a net as text, and what the rules about solvers say of them."""

from __future__ import annotations

from pathlib import Path

from nanlint.caffe.load import load_solver
from nanlint.caffe.model import Solver
from nanlint.caffe.options import Options
from nanlint.data.beside import Known
from nanlint.data.session import Session
from nanlint.findings import Finding
from nanlint.rules.registry import rules_for
from nanlint.schema.dialect import Dialect

LINE = """
layer {
  name: "data" type: "DummyData" top: "x" top: "y"
  dummy_data_param {
    shape { dim: 1 dim: 1 }
    data_filler { type: "constant" value: 1 }
    data_filler { type: "constant" value: 0 }
  }
}
layer {
  name: "ip" type: "InnerProduct" bottom: "x" top: "out"
  inner_product_param { num_output: 1 bias_term: false weight_filler { type: "constant" value: 0.5 } }
}
layer { name: "loss" type: "EuclideanLoss" bottom: "out" bottom: "y" top: "loss" }
"""
"""y = w x with x 1, y 0 and w 0.5: the curvature is 1 and the first gradient 0.5."""

STILL = LINE.replace("value: 0 }", "value: 0.5 }")
"""The same where the target is met: every gradient is 0."""


def load(folder: Path, solver: str, net: str = LINE, dialect: Dialect = Dialect.BVLC) -> Solver:
    """The solver with `net: "net.prototxt"` added, unless it names a net."""
    if "net" not in solver:
        solver += '\nnet: "net.prototxt"'
    (folder / "net.prototxt").write_text(net)
    path = folder / "solver.prototxt"
    path.write_text(solver)
    return load_solver(str(path), Options(dialect))


def findings(solver: Solver) -> list[Finding]:
    """What the rules about solvers say, and those about what lies beside them."""
    session = Session()
    beside = Known(session, solver.path, ()).beside(solver.nets, solver)
    session.close()
    of_solver = [rule.finding(problem) for rule in rules_for("Solver") for problem in rule.check(solver)]
    return of_solver + [rule.finding(problem) for rule in rules_for("Beside") for problem in rule.check(beside)]


def found(folder: Path, solver: str, net: str = LINE, dialect: Dialect = Dialect.BVLC) -> set[str]:
    """What is said, as `warning rising-rate`."""
    said = findings(load(folder, solver, net, dialect))
    return {f"{one.severity.value} {one.name}" for one in said}
