"""Settings for which a Caffe on the CPU has no code."""
from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.caffe.model import Solver
from nanlint.findings import Effect, Problem, Related
from nanlint.rules.registry import ERROR, finding, rule

if TYPE_CHECKING:
    from nanlint.findings import Problem

CUDNN = 2
CPU = 0


@rule("LAYER004", "cudnn-on-cpu", ERROR, effect=Effect.SETUP_FAILURE)
def cudnn_on_cpu(solver: Solver) -> Iterator[Problem]:
    """A layer asks for cuDNN, and the solver for the CPU.

    **In Caffe** `engine: CUDNN` is an engine only where cuDNN was compiled in (layer_factory.cpp); a Caffe
    for the CPU aborts with "Layer ... has unknown engine". Without `engine` each build takes what it has.

    **Instead** leave `engine` out, or write `engine: CAFFE`.
    """
    if not solver.param.HasField("solver_mode") or solver.param.solver_mode != CPU:
        return
    for net in solver.nets:
        for layer in net.layers:
            block = layer.facts.engine_block
            if not block or getattr(layer.param, block).engine != CUDNN:
                continue
            yield finding(
                layer.at(f"{block}.engine"),
                f"`engine: CUDNN` of `{layer.name}` with `solver_mode: CPU`: a Caffe built for the CPU knows "
                "no such engine and aborts; leave `engine` out",
                related=[Related("the solver asks for the CPU here", solver.at("solver_mode"))],
                layer=layer.name,
                phase=net.phase,
            )


@rule("LAYER006", "stochastic-on-cpu", ERROR, effect=Effect.RUN_FAILURE)
def stochastic_on_cpu(solver: Solver) -> Iterator[Problem]:
    """A layer pools stochastically, and the solver trains on the CPU.

    **In Caffe** `pool: STOCHASTIC` exists for the GPU alone. On the CPU the net is built, and the first
    forward pass aborts, in the TEST phase too ("Not Implemented Yet", pooling_layer.cpp).

    **Instead** write `pool: MAX` or `pool: AVE`, or train on a GPU.
    """
    if not solver.param.HasField("solver_mode") or solver.param.solver_mode != CPU:
        return
    for net in solver.nets:
        for layer in net.layers:
            route = layer.facts.gpu_only(layer.param)
            if not route or layer.refused:
                continue
            yield finding(
                layer.at(route),
                f"`pool: STOCHASTIC` of `{layer.name}` with `solver_mode: CPU`: Caffe has no CPU code for it "
                "and aborts in the first forward pass; write `pool: MAX` or `pool: AVE`",
                related=[Related("the solver asks for the CPU here", solver.at("solver_mode"))],
                layer=layer.name,
                phase=net.phase,
            )
