from __future__ import annotations

from xml.etree import ElementTree

import pytest
from google.protobuf import text_format

from nanlint.analysis.schedule import Schedule, schedule, thinned
from nanlint.report.plot import as_svg, curve, on_terminal
from nanlint.report.rates import comma_separated, dumps
from nanlint.schema.descriptors import new_solver

STEPS = 'lr_policy: "step" base_lr: 0.1 gamma: 0.1 stepsize: 40 max_iter: 100'


def scheduled(text: str) -> Schedule:
    found = schedule(text_format.Parse(text, new_solver()))
    assert found is not None
    return found


def test_a_curve_has_a_mark_at_each_step() -> None:
    assert [it for it, _ in curve("s", scheduled(STEPS), 10).marks] == [40, 80]


def test_svg_is_well_formed_and_names_the_steps() -> None:
    curves = [curve("a<b", scheduled(STEPS), 50), curve("c", scheduled('lr_policy: "fixed"'), 50)]
    root = ElementTree.fromstring(as_svg(curves))
    assert [title.text for title in root.iter("{http://www.w3.org/2000/svg}title")] == [
        "iteration 40: 0.01",
        "iteration 80: 0.001",
    ]


def test_a_plot_fits_its_width_and_shows_both_labels() -> None:
    pytest.importorskip("plotext")
    curves = [curve("one", scheduled(STEPS), 50), curve("two", scheduled(STEPS), 50)]
    picture = on_terminal(curves, 60, 12, colour=False)
    assert picture is not None
    assert max(map(len, picture.splitlines())) <= 60
    assert "one" in picture
    assert "two" in picture


def test_rates_that_are_not_finite_are_strings() -> None:
    grown = list(thinned(scheduled('lr_policy: "exp" base_lr: 1 gamma: 1e30 max_iter: 3'), 1))
    assert '"inf"' in dumps([("s", "exp", grown)])
    assert comma_separated([("s", "exp", grown)]).splitlines()[1:] == ["s,0,1.0", "s,1,1e+30", "s,2,inf"]
