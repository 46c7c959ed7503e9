"""Every measure of a model's weights."""

from collections.abc import Mapping

from torch import Tensor, nn
from torch.optim import Optimizer

from grokscope.collectors.evaluating.preserved_state import plain_module
from grokscope.collectors.measures.location import location
from grokscope.collectors.measures.weights.movement import angle_of_sides, distance_from_init
from grokscope.collectors.measures.weights.norms import by_group, by_layer, weight_norms
from grokscope.collectors.measures.weights.spectra import matrix_spectra


def weight_measures(
    model: nn.Module,
    *,
    init: Mapping[str, Tensor] | None = None,
    optimizer: Optimizer | None = None,
    matrices: bool = True,
) -> dict[str, Tensor]:
    """Return every measure of a model's weights by full key, ``weights/<quantity>[/<where>]``.

    ``weights/norm`` comes in total, by layer (the module that owns the parameters) and, where there are
    several, by parameter group as ``group:<name>``. Spectra come by matrix: a parameter of two or more
    dimensions, none of them 1 once flattened, under its name without ``.weight``. Characters that a metric
    key cannot hold become ``_``.

    Args:
        model: Any module, its parameters on one device.
        init: ``snapshot`` at initialisation, for ``weights/distance_from_init`` and ``angle_from_init``; what
            is ``left_out`` of it does not count in these.
        optimizer: Its parameter groups are measured too.
        matrices: Whether to decompose the matrices, the costly part.

    Returns:
        Scalar tensors on the model's device, without a synchronisation (CUDA's decomposition makes its own).

    Raises:
        ValueError: If ``init`` is of another model, without a parameter in common.

    Source: each measure's own. Cost: two passes over the parameters, and one decomposition a matrix.

    >>> list(weight_measures(nn.Sequential(nn.Linear(2, 3)), matrices=False))
    ['weights/norm', 'weights/norm/0']
    """
    parameters = dict(plain_module(model).named_parameters())
    everything = list(parameters.values())
    paired = [] if init is None else _paired(parameters, init)
    now, then = [parameters[name] for name in paired], [init[name] for name in paired] if init else []
    # Of what was there from the beginning: the same as the norm of all unless layers were added.
    own = {} if len(now) == len(everything) else {"now": now}
    norms = weight_norms({"weights/norm": everything, **_parts(model, optimizer), "then": then, **own})
    before, after = norms.pop("then"), norms.pop("now", norms["weights/norm"])
    measures = dict(norms)
    if then:
        distance = distance_from_init(now, then)
        measures["weights/distance_from_init"] = distance
        measures["weights/angle_from_init"] = angle_of_sides(after, before, distance)
    return measures | (matrix_spectra(parameters) if matrices else {})


def snapshot(model: nn.Module) -> dict[str, Tensor]:
    """Return a copy of a model's parameters by name, as ``weight_measures`` wants it for ``init``.

    Source: definition. Cost: one copy of the parameters, for as long as it is kept.

    >>> list(snapshot(nn.Linear(2, 3)))
    ['weight', 'bias']
    """
    return {name: p.detach().clone() for name, p in plain_module(model).named_parameters()}


def left_out(model: nn.Module, init: Mapping[str, Tensor]) -> list[str]:
    """Return the names of parameters that ``init`` does not hold in their shape: layers that were added.

    Source: definition. Cost: none.

    >>> model = nn.Linear(2, 3)
    >>> left_out(model, {"weight": model.weight})
    ['bias']
    """
    named = plain_module(model).named_parameters()
    return [name for name, now in named if name not in init or init[name].shape != now.shape]


def _parts(model: nn.Module, optimizer: Optimizer | None) -> dict[str, list[Tensor]]:
    parts = {f"weights/norm/{location(name)}": layer for name, layer in by_layer(plain_module(model)).items()}
    groups = by_group(optimizer) if optimizer is not None else {}
    if len(groups) > 1:
        parts |= {f"weights/norm/group:{location(name)}": group for name, group in groups.items()}
    return parts


def _paired(parameters: Mapping[str, Tensor], init: Mapping[str, Tensor]) -> list[str]:
    common = [name for name, now in parameters.items() if name in init and init[name].shape == now.shape]
    if parameters and not common:
        different = sorted(parameters.keys() ^ init.keys())
        raise ValueError(
            f"init must hold the model's own parameters, got a difference in {', '.join(different[:5])}; "
            "take it with snapshot(model) before training"
        )
    return common
