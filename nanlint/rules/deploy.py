"""The deploy net of a solver: whether the trained weights fit it, and whether it computes what was trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from nanlint.caffe.model import ends_setup
from nanlint.findings import Applicability, Edit, Effect, Fix, Problem, Related
from nanlint.rules.registry import INFO, WARNING, finding, rule
from nanlint.rules.wording import value

if TYPE_CHECKING:
    from nanlint.analysis.pairing import Pairing, Unlike
    from nanlint.caffe.deployment import Deployment
    from nanlint.caffe.model import Layer

_MOST_NAMED = 4


@rule("DEP001", "deploy-layer-without-weights", WARNING, effect=Effect.NONE)
def deploy_layer_without_weights(pair: Deployment) -> Iterator[Problem]:
    """A layer of the deploy net needs weights, and no layer of the training net has its name.

    **In Caffe** weights are loaded by the names of layers (net.cpp, CopyTrainedLayersFrom). A layer whose name no saved
    layer has keeps what its filler makes, which is 0 where none is written: a classifier then gives every class
    the same score, and nothing says so.

    **Instead** give the layer the name that it has in the training net.
    """
    compared = _pairing(pair)
    if compared.is_of_another_net:
        if pair.sure:
            yield _of_another_net(pair, compared)
        return
    for layer in compared.without_weights:
        meant = compared.meant(layer)
        remedy = f'write `name: "{meant.name}"`' if meant else "give it the name of the training net's layer"
        yield finding(
            layer.at("name"),
            f"{layer.called} gets no weights, because no layer of the training net has that name, and Caffe leaves "
            f"{_as_filled(layer)}; {remedy}",
            layer=layer.name,
            related=[Related(f"{meant.called} of the training net", meant.at("name"))] if meant else (),
            fix=_written(layer, "name", f'"{meant.name}"') if meant else None,
        )


def _pairing(pair: Deployment) -> Pairing:
    from nanlint.analysis.pairing import pairing

    return pairing(pair)


def _of_another_net(pair: Deployment, compared: Pairing) -> Problem:
    missing, others = compared.without_weights, [one.here for one in compared.unlike if one.blobs]
    unnamed = f"{_listed(missing)} have names that no layer of the training net has" if missing else ""
    unfit = f"{_listed(others)} have other weights than its layers of that name" if others else ""
    first = missing[0] if missing else others[0]
    return finding(
        first.at("name"),
        f"of the {len(compared.needing)} layers with weights {' and '.join(filter(None, (unnamed, unfit)))}, so the "
        "trained weights do not go in: it is the deploy net of another net; write the training net's layers here, "
        "without its data and losses",
        layer=first.name,
        related=[Related("the training net", pair.trained.at())],
    )


@rule("DEP002", "deploy-weights-do-not-fit", WARNING, effect=Effect.SETUP_FAILURE)
def deploy_weights_do_not_fit(pair: Deployment) -> Iterator[Problem]:
    """A layer of the deploy net has other weights than the training net's layer of its name.

    **In Caffe** the number of blobs and each shape must be equal when weights are loaded (net.cpp,
    CopyTrainedLayersFrom: `Cannot copy param 0 weights`), and the program aborts otherwise.

    **Instead** write what the training net has.
    """
    compared = _pairing(pair)
    for one in compared.unlike if not compared.is_of_another_net else ():
        if one.blobs is None:
            continue
        here, there = one.blobs
        said = f"{here} here and {there} in the training net"
        route = one.settings[0].route if one.settings else ""
        if one.other_type:
            cause = f"{one.here.called} is a {one.here.type} here and a {one.there.type} in the training net: "
            route = "type"
        else:
            cause = f"{one.here.called} has {_settings(one)}: " if one.settings else f"{one.here.called} has "
        yield _unlike(one, route, f"{cause}{said}, and Caffe aborts as it loads them; {_instead(one)}")


@rule("DEP003", "deploy-layer-differs", WARNING, effect=Effect.NONE)
def deploy_layer_differs(pair: Deployment) -> Iterator[Problem]:
    """A layer of the deploy net computes something else than the training net's layer of its name.

    **In Caffe** loading compares names and shapes of weights alone (net.cpp, CopyTrainedLayersFrom). Another
    stride, padding, pooling or slope passes, and the outputs are not those that were trained.

    **Instead** write what the training net has.
    """
    compared = _pairing(pair)
    for one in compared.unlike if not compared.is_of_another_net else ():
        if one.blobs is not None:
            continue
        if one.other_type:
            yield _unlike(
                one,
                "type",
                f"{one.here.called} is a {one.here.type} here and a {one.there.type} in the training net, so it does "
                f'not compute what was trained; write `type: "{one.there.type}"`',
            )
        else:
            yield _unlike(
                one,
                one.settings[0].route,
                f"{one.here.called} has {_settings(one)} in the training net, so it does not compute what was trained; "
                f"{_instead(one)}",
            )


@rule("DEP004", "deploy-layer-missing", WARNING, effect=Effect.NONE)
def deploy_layer_missing(pair: Deployment) -> Iterator[Problem]:
    """A layer that the training net has between two layers is not between them in the deploy net.

    **In Caffe** loading passes over what only one side has (net.cpp, CopyTrainedLayersFrom): without its ReLU or its
    normalisation the deploy net runs, and its outputs are wrong. Dropout may go, and so may BatchNorm
    once it is worked into the weights.

    **Instead** copy the layer from the training net.
    """
    compared = _pairing(pair)
    for one in compared.dropped if not compared.is_of_another_net else ():
        gets = f"{one.reader.called} gets" if one.reader else "the net ends with"
        place = one.reader.at(f"bottom[{_bottom(one.reader, one.source.name)}]") if one.reader else one.source.made_at
        yield finding(
            place,
            f"{gets} `{one.source.name}` without the {one.layer.type} {one.layer.called} of the training net, so it "
            f"does not compute what was trained; copy {one.layer.called} here",
            layer=one.layer.name,
            related=[Related(f"{one.layer.called} of the training net", one.layer.at())],
        )


@rule("DEP005", "deploy-layer-inserted", WARNING, effect=Effect.NONE)
def deploy_layer_inserted(pair: Deployment) -> Iterator[Problem]:
    """A layer stands between two layers of the deploy net, and not between them in the training net.

    **In Caffe** nothing compares the two nets: what a layer without weights does to its blob in use, training never
    did, and the layers above it get what they have not learned to read.

    **Instead** remove the layer, or train with it.
    """
    compared = _pairing(pair)
    for one in compared.inserted if not compared.is_of_another_net else ():
        yield finding(
            one.layer.at("type"),
            f"{one.reader.called} gets its input through the {one.layer.type} {one.layer.called}, which the training "
            "net does not have there, so it does not compute what was trained; remove it, or train with it",
            layer=one.layer.name,
            related=[Related(f"{one.reader.called} of the training net", _other(pair, one.reader).at())],
        )


@rule("DEP006", "deploy-stage-refused", WARNING, effect=Effect.SETUP_FAILURE)
def deploy_stage_refused(pair: Deployment) -> Iterator[Problem]:
    """A net for all stages cannot be built in the stage `deploy`.

    **In Caffe** `include` and `exclude` choose the layers (net.cpp, FilterNet). What reads labels, as Accuracy
    and the losses do, finds none in a stage without them, and Caffe aborts.

    **Instead** write `exclude { stage: "deploy" }` in the layers that read what only training and tests have.
    """
    if pair.deploy.bound is not pair.trained.bound or pair.trained.refused:
        return
    for problem in pair.deploy.problems:
        if ends_setup(problem):
            reads = problem.kind == "unknown-bottom" and problem.layer
            said = f"`{problem.layer}` reads what no layer of it makes, and Caffe aborts"
            remedy = f'write `exclude {{ stage: "deploy" }}` in `{problem.layer}`'
            yield problem._replace(
                kind="",
                message=f'in the stage "deploy" {f"{said}; {remedy}" if reads else problem.message}',
                severity=WARNING,
                effect=Effect.SETUP_FAILURE,
                phase=None,
            )


@rule("DEP007", "deploy-input-unprepared", INFO, effect=Effect.NONE)
def deploy_input_unprepared(pair: Deployment) -> Iterator[Problem]:
    """The training net's data are shifted or scaled as they are read, which nothing in the deploy net does.

    **In Caffe** `transform_param` belongs to the data layers (data_transformer.cpp); an Input layer takes what a
    program gives it. Pixels of 0 to 255 where the net has learned with -1 to 1 give wrong scores, without a word.

    **Instead** let the program do the same, or begin both nets with a layer that does.
    """
    source = next((layer for layer in pair.trained.layers if _prepares(layer)), None)
    given = next((layer for layer in pair.deploy.layers if layer.type == "Input"), None)
    if source is None or given is None:
        return
    transform = source.param.transform_param
    does = []
    if transform.mean_value or transform.HasField("mean_file"):
        mean = ", ".join(value(number) for number in transform.mean_value) or f'the mean of "{transform.mean_file}"'
        does.append(f"takes {mean} off")
    if transform.scale != 1:
        does.append(f"multiplies by {value(transform.scale)}")
    yield finding(
        given.at(),
        f"{source.called} of the training net {' and '.join(does)}, and a deploy net does not: the program that fills "
        f"{given.called} has to do the same",
        layer=given.name,
        related=[Related("the training net's data are prepared here", source.at("transform_param"))],
    )


def _prepares(layer: Layer) -> bool:
    transform = layer.param.transform_param
    changes = transform.scale != 1 or bool(transform.mean_value) or transform.HasField("mean_file")
    return not layer.param.bottom and changes


def _unlike(one: Unlike, route: str, message: str) -> Problem:
    there = one.there.at(one.settings[0].route if one.settings else "")
    related = [Related(f"{one.there.called} of the training net", there)]
    fix = _written(one.here, route, one.settings[0].there) if len(one.settings) == 1 else None
    return finding(one.here.at(route), message, layer=one.here.name, related=related, fix=fix)


def _written(layer: Layer, route: str, value: str) -> Fix | None:
    """The fix that gives a field which is written another value; None where it is not, or is a list."""
    place = layer.at(route)
    text = place.source.text[slice(*place.span)]
    name, colon, _ = text.partition(":")
    if not colon or name.strip() != _name(route) or " x " in value or value == "nothing":
        return None
    return Fix(f"write `{name.strip()}: {value}`", (Edit(place, f"{name}: {value}"),), Applicability.UNSAFE)


def _settings(one: Unlike) -> str:
    return " and ".join(f"`{_name(each.route)}: {each.here}` here and {each.there}" for each in one.settings)


def _instead(one: Unlike) -> str:
    if one.other_type:
        return f'write `type: "{one.there.type}"`, or convert the weights'
    if not one.settings:
        return "make its input the same"
    return "write " + " and ".join(f"`{_name(each.route)}: {each.there}`" for each in one.settings)


def _name(route: str) -> str:
    return route.rpartition(".")[2]


def _listed(layers: Sequence[Layer]) -> str:
    named = ", ".join(layer.called for layer in layers[:_MOST_NAMED])
    return f"{named}, ..." if len(layers) > _MOST_NAMED else named


def _as_filled(layer: Layer) -> str:
    filler = layer.params[0].param.filler
    random = filler is not None and filler.type not in ("constant", "")
    return "what its filler draws" if random else "them 0"


def _bottom(reader: Layer, name: str) -> int:
    return next((index for index, blob in enumerate(reader.bottoms) if blob.name == name), 0)


def _other(pair: Deployment, layer: Layer) -> Layer:
    return next(one for net in (pair.reference, pair.trained) for one in net.layers if one.name == layer.name)
