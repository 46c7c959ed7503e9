"""Every measure of a model's weights."""

from collections.abc import Callable, Mapping, Sequence

from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.optim import Optimizer

from grokscope.collectors.evaluating.preserved_state import plain_module
from grokscope.collectors.measures.location import location
from grokscope.collectors.measures.weights.movement import angle_of_sides, distance_from_init
from grokscope.collectors.measures.weights.norms import by_group, layers_of, weight_norms
from grokscope.collectors.measures.weights.spectra import matrix_spectra
from grokscope.collectors.tensors.complex_numbers import real


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
        init: ``snapshot`` at initialisation, for ``weights/distance_from_init`` and ``angle_from_init``.
        optimizer: Its parameter groups are measured too.
        matrices: Whether to decompose the matrices, the costly part.

    Returns:
        Scalar tensors on the model's device, without a synchronisation (CUDA's decomposition makes its own).

    Raises:
        ValueError: If ``init`` is of another model, or a parameter has no values (meta device).

    Source: each measure's own. Cost: two passes over the parameters, and one decomposition a matrix.

    >>> list(weight_measures(nn.Sequential(nn.Linear(2, 3)), matrices=False))
    ['weights/norm', 'weights/norm/0']
    """
    parameters = measured_parameters(model)
    if unreal := [name for name, p in parameters.items() if p.is_meta]:
        raise ValueError(
            f"{len(unreal)} of {len(parameters)} parameters are on the meta device, without values "
            f"({', '.join(unreal[:5])}): they are offloaded, or not made yet"
        )
    now = [*map(real, parameters.values())]
    then = [] if init is None else _paired(parameters, init)
    norms = weight_norms({"weights/norm": now, **_parts(parameters, optimizer), "then": then})
    before = norms.pop("then")
    measures = dict(norms)
    if then:
        distance = distance_from_init(now, then)
        measures["weights/distance_from_init"] = distance
        measures["weights/angle_from_init"] = angle_of_sides(norms["weights/norm"], before, distance)
    return measures | (matrix_spectra(parameters) if matrices else {})


def measured_parameters(model: nn.Module) -> dict[str, Tensor]:
    """Return the parameters that have a norm, by name: not whole numbers, and not still to be made.

    Source: definition. Cost: none on the device.

    >>> import torch
    >>> codes = nn.Parameter(torch.ones(2, dtype=torch.int8), requires_grad=False)
    >>> list(measured_parameters(nn.ParameterDict({"codes": codes, "scale": nn.Parameter(torch.ones(1))})))
    ['scale']
    """
    return {
        name: p
        for name, p in plain_module(model).named_parameters()
        if not is_lazy(p) and (p.is_floating_point() or p.is_complex())
    }


def snapshot(model: nn.Module) -> dict[str, Tensor]:
    """Return a copy of a model's parameters by name, as ``weight_measures`` wants it for ``init``.

    Source: definition. Cost: one copy of the parameters, for as long as it is kept.

    >>> list(snapshot(nn.Linear(2, 3)))
    ['weight', 'bias']
    """
    return {name: p.detach().clone() for name, p in measured_parameters(model).items()}


class InitialParameters(dict[str, Tensor]):
    """The parameters of a model at its start, and of those that come later, when they were first seen.

    Layers are added, made by a first forward pass, given other shapes or parametrizations, loaded from where
    they were offloaded, and moved between devices while a tracker looks on. What the distance from the start
    is then counted from is said once.

    Args:
        model: Any module.
        warn: Takes a sentence about what cannot be measured from the start.

    >>> model = nn.Sequential(nn.Linear(1, 1))
    >>> init = InitialParameters(model, warn=print)
    >>> _ = model.append(nn.Linear(1, 1, bias=False))
    >>> init.follow(model, step=7)
    distances from the start are counted from step 7 for 1.weight: new there, or of another shape
    >>> list(init)
    ['0.weight', '0.bias', '1.weight']
    """

    def __init__(self, model: nn.Module, *, warn: Callable[[str], None]) -> None:
        super().__init__()
        self._warn = warn
        parameters = plain_module(model).named_parameters()
        measured = measured_parameters(model)
        if left := [n for n, p in parameters if n not in measured and not is_lazy(p)]:
            warn(f"no norm counts {_listed(left)}: whole numbers, as of quantised weights")
        self.update({name: p.detach().clone() for name, p in measured.items() if not p.is_meta})

    def follow(self, model: nn.Module, *, step: int) -> None:
        """Copy the parameters that are new at ``step``, and forget those that are no more.

        Source: definition. Cost: none on the device where nothing has changed.
        """
        now = measured_parameters(model)
        new = {n: p for n, p in now.items() if not p.is_meta and (n not in self or self[n].shape != p.shape)}
        if new:
            self._warn(
                f"distances from the start are counted from step {step} for {_listed([*new])}: new there, or "
                "of another shape"
            )
            self.update({name: p.detach().clone() for name, p in new.items()})
        for name in [*self]:
            if name not in now:
                del self[name]
            elif self[name].device != now[name].device and not now[name].is_meta:
                self[name] = self[name].to(now[name].device)


def _listed(names: Sequence[str]) -> str:
    most = 3
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def _parts(parameters: Mapping[str, Tensor], optimizer: Optimizer | None) -> dict[str, list[Tensor]]:
    measured = {id(p) for p in parameters.values()}
    layers = layers_of(parameters.items())
    parts = {f"weights/norm/{location(name)}": layer for name, layer in layers.items()}
    groups = by_group(optimizer) if optimizer is not None else {}
    if len(groups) > 1:
        parts |= {f"weights/norm/group:{location(name)}": group for name, group in groups.items()}
    kept = {name: [real(p) for p in part if id(p) in measured] for name, part in parts.items()}
    return {name: part for name, part in kept.items() if part}


def _paired(parameters: Mapping[str, Tensor], init: Mapping[str, Tensor]) -> list[Tensor]:
    different = sorted(parameters.keys() ^ init.keys())
    if different:
        raise ValueError(
            f"init must hold the model's own parameters, got a difference in {', '.join(different[:5])}; "
            "take it with snapshot(model) before training"
        )
    return [real(init[name]) for name in parameters]
