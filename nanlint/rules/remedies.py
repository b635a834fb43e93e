"""What must be mended where a net cannot be built: the setting that makes the odd number, as a fix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from nanlint.caffe.edits import written
from nanlint.caffe.model import Layer, Net, ends_setup
from nanlint.findings import Applicability, Fix, Problem, Related, Severity

if TYPE_CHECKING:
    from nanlint.analysis.mending import Search
    from nanlint.analysis.settings import Change

_MOST_SEARCHES = 4
_MOST_RIVALS = 3


def solved(net: Net, problems: Iterable[Problem]) -> Iterator[Problem]:
    """Problems with what to write, and where, in place of general advice."""
    searched = 0
    for problem in problems:
        layer = _refused(net, problem) if searched < _MOST_SEARCHES else None
        if layer is None:
            yield problem
            continue
        searched += 1
        yield _with_mend(net, layer, problem)


def fitting_no_image(net: Net) -> Iterator[Problem]:
    """What Caffe will refuse whatever the size of the images is, which the files do not tell."""
    from nanlint.analysis.image_sizes import misfit
    from nanlint.analysis.mending import Search

    found = misfit(net)
    if found is None:
        return
    height, width = found.size
    sizes = frozenset((height, width))
    layer = found.layer
    search = Search(
        net, layer, lambda trial: layer not in trial.refused, net.companions, sizes, frozenset(), found.given
    )
    likely = found.problem._replace(
        severity=Severity.WARNING,
        evidence=f"so with images of {height} x {width}, and with every other size that was tried",
    )
    yield with_mends(likely, search)


def _refused(net: Net, problem: Problem) -> Layer | None:
    if problem.fix is not None or not ends_setup(problem._replace(severity=None)):
        return None
    return next(
        (
            layer
            for layer in net.layers
            if layer.refused and layer.name == problem.layer and layer.spec is not None and _inside(layer, problem)
        ),
        None,
    )


def _inside(layer: Layer, problem: Problem) -> bool:
    return problem.place.route.startswith(layer.origin.route)


def _with_mend(net: Net, layer: Layer, problem: Problem) -> Problem:
    from nanlint.analysis.mending import Search, sizes_of

    refused = frozenset(other for other in net.layers if other.refused and other is not layer)
    search = Search(
        net, layer, lambda trial: layer not in trial.refused, net.companions, sizes_of(layer), refused
    )
    return with_mends(problem, search)


def made_alike(problem: Problem, layer: Layer, target: Layer) -> Problem:
    """A problem of two nets that share weights, with what makes those of `target` like those of `layer`."""
    from nanlint.analysis.mending import Search

    wanted = tuple(learned.param.shape for learned in layer.params)
    inputs = frozenset(size for shape in wanted for size in shape or () if size)
    search = Search(
        target.net, target, lambda trial: trial.params.get(target) == wanted, (layer.net,), inputs, frozenset()
    )
    return with_mends(problem, search)


def with_mends(problem: Problem, search: Search) -> Problem:
    """The problem with the most plausible change as its remedy, and its rivals as related places."""
    from nanlint.analysis.settings import settings

    mends = search.mends()
    if not mends:
        return problem
    changes = [mend.change for mend in mends[:_MOST_RIVALS]]
    best = changes[0]
    text = spelled(best)
    where = best.layer.at(best.setting.routes[0])
    remedy = f"write `{text}` in {best.layer.called} ({where})"
    related = [
        Related(f"{'write' if change is best else 'or write'} `{spelled(change)}` here", change.layer.at(route))
        for change in changes
        for route in change.setting.routes[:1]
    ]
    edits = [written(best.layer, route, value) for route, value in best.values]
    if best.new_type:
        edits.append(written(best.layer, "type", f'"{best.new_type}"'))
    return problem._replace(
        message=f"{_claim(problem.message)}; {remedy}",
        related=(*related, *problem.related),
        because=(*problem.because, *(best.layer.at(route) for one in settings(best.layer) for route in one.routes)),
        fix=Fix(f"write `{text}` in {best.layer.called}", tuple(edits), Applicability.UNSAFE),
    )


def spelled(change: Change) -> str:
    """`kernel_size: 16 stride: 8`"""
    if change.new_type:
        return f'type: "{change.new_type}"'
    names = {route.rpartition(".")[2].partition("[")[0]: value for route, value in change.values}
    return " ".join(f"{name}: {value}" for name, value in names.items())


def _claim(message: str) -> str:
    """What Caffe does, without the general advice behind it."""
    for end in ("and Caffe aborts", "Caffe aborts"):
        before, found, _ = message.partition(f"{end};")
        if found:
            return before + end
    return message.rpartition("; ")[0] or message
