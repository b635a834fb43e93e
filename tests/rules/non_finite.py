"""What the rules about numbers say of a net in a few words."""

from __future__ import annotations

from nanlint.caffe.model import TRAIN, Net
from nanlint.findings import Finding
from nanlint.rules.registry import rules
from tests.caffe.one_net import layer, net

CODES = ("NUM", "NRM", "LOS")
SUM = layer("Reduction", "y", "total", "loss_weight: 1")


def findings(built: Net) -> list[Finding]:
    found = []
    for rule in rules():
        if not rule.code.startswith(CODES):
            continue
        if rule.subject == "Net":
            found += [rule.finding(problem) for problem in rule.check(built)]
        elif rule.subject == "Layer":
            for one in built.layers:
                if not rule.layers or one.type in rule.layers:
                    found += [rule.finding(problem) for problem in rule.check(one)]
    return found


def names(text: str, phase: str = TRAIN) -> list[str]:
    return [finding.name for finding in findings(net(text, phase))]


def source(filler: str, shape: str = "16 8", top: str = "x") -> str:
    dims = " ".join(f"dim: {size}" for size in shape.split())
    return layer("DummyData", "", top, f"dummy_data_param {{ shape {{ {dims} }} data_filler {{ {filler} }} }}")


GAUSSIAN = 'type: "gaussian" std: 1'
DATA = layer("Data", "", "raw label", 'data_param { source: "db" batch_size: 4 } transform_param { crop_size: 8 }')
IP = layer("InnerProduct", "raw", "x", 'inner_product_param { num_output: 4 weight_filler { type: "xavier" } }')
UNKNOWN = DATA + IP
