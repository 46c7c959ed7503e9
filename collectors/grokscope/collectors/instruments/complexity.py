"""How much a network says: spectra's tails, compressed and cut weights, units, their regions and masks."""

from collections.abc import Mapping

from torch import Tensor

from grokscope.collectors.evaluating.weights import matrices_of
from grokscope.collectors.instruments.subset import Subset, fixed, take
from grokscope.collectors.measure.complexity import circuit_complexity, coarsest_step, compressed_bits
from grokscope.collectors.measure.dropout import dropout_accuracy, dropping
from grokscope.collectors.measure.heavy_tails import correlation_traps, power_law_tail
from grokscope.collectors.measure.regions import local_complexity
from grokscope.collectors.measure.spectra import singular_values
from grokscope.collectors.measure.synergy import o_information
from grokscope.collectors.reading import Instrument, Reading, instrument
from grokscope.schemas import Tier


def heavy_tails(*, smallest: int = 16) -> Instrument:
    """Return the instrument of ``weights/tail_exponent``, ``tail_count`` and ``correlation_traps``.

    All by matrix. An exponent from fewer than some 50 eigenvalues in the tail is mostly noise.

    Cost: two decompositions a matrix.

    Args:
        smallest: Matrices with fewer rows or columns are left out.

    >>> from torch import nn
    >>> list(heavy_tails()(Reading(step=0, model=nn.Linear(16, 20))))
    ['weights/tail_exponent/weight', 'weights/tail_count/weight', 'weights/correlation_traps/weight']
    """

    def heavy_tails(reading: Reading) -> Mapping[str, Tensor]:
        # A tail needs three values.
        matrices = matrices_of(dict(reading.model.named_parameters()), smallest=max(smallest, 3))
        values: dict[str, Tensor] = {}
        for (name, matrix), spectrum in zip(
            matrices.items(), singular_values(matrices.values()), strict=True
        ):
            tail = power_law_tail(spectrum.square())
            values[f"weights/tail_exponent/{name}"] = tail.alpha
            values[f"weights/tail_count/{name}"] = tail.count
            traps = correlation_traps(matrix, generator=fixed(reading, 0))
            values[f"weights/correlation_traps/{name}"] = traps
        return values

    return instrument(tier=Tier.COSTLY)(heavy_tails)


def compression(*, subset: Subset | None = None, tolerance: float = 0.1) -> Instrument:
    """Return the instrument of ``weights/compressed_bits`` and ``weights/coarsest_step``.

    The weights are rounded as coarsely as the loss of the subset allows, then compressed: bits a parameter
    that keeping this loss takes, at most.

    Cost: some ten forward passes, and compressing a byte or so a parameter on the host.

    Args:
        subset: The samples that tell what rounding costs.
        tolerance: By how many nats the loss may rise.

    >>> import torch
    >>> from torch import nn
    >>> data = (torch.randn(8, 2), torch.arange(8) % 3)
    >>> reading = Reading(step=0, model=nn.Linear(2, 3), splits={"train": data})
    >>> list(compression()(reading))
    ['weights/compressed_bits', 'weights/coarsest_step']
    """
    chosen = subset or Subset()

    def compression(reading: Reading) -> Mapping[str, Tensor | float]:
        taken = take(reading, chosen)
        if taken is None:
            return {}
        step = coarsest_step(taken.loss, taken.parameters, tolerance=tolerance)
        bits = compressed_bits(taken.parameters, step=step)
        return {"weights/compressed_bits": bits, "weights/coarsest_step": step}

    return instrument(tier=Tier.COSTLY)(compression)


def cut_weights(*, subset: Subset | None = None, draws: int = 5) -> Instrument:
    """Return the instrument of ``weights/circuit_complexity``, a tenth of the weights cut.

    Which weights are cut does not differ between readings.

    Cost: draws + 1 forward passes.

    Args:
        subset: The samples.
        draws: Masks.

    >>> import torch
    >>> from torch import nn
    >>> data = (torch.randn(8, 2), torch.arange(8) % 3)
    >>> reading = Reading(step=0, model=nn.Linear(2, 3), splits={"train": data})
    >>> list(cut_weights()(reading))
    ['weights/circuit_complexity']
    """
    chosen = subset or Subset()

    def cut_weights(reading: Reading) -> Mapping[str, Tensor]:
        taken = take(reading, chosen)
        if taken is None:
            return {}
        generator = fixed(reading, 0)
        value = circuit_complexity(taken.predict, taken.parameters, generator=generator, draws=draws)
        return {"weights/circuit_complexity": value}

    return instrument(tier=Tier.COSTLY)(cut_weights)


def synergy(*, units: int = 16) -> Instrument:
    """Return the instrument of ``representation/o_information/<split>``.

    Read from the units of the representation that vary most at this reading.

    Cost: a sort of N values a unit.

    Args:
        units: How many.

    >>> import torch
    >>> from torch import nn
    >>> from grokscope.collectors.evaluating.forward_pass import forward_pass
    >>> data = (torch.randn(8, 2), torch.arange(8) % 3)
    >>> model = nn.Linear(2, 3)
    >>> reading = Reading(step=0, model=model, passes={"test": forward_pass(model, data)})
    >>> list(synergy()(reading))
    ['representation/o_information/test']
    """

    def synergy(reading: Reading) -> Mapping[str, Tensor]:
        values: dict[str, Tensor] = {}
        for split, seen in reading.passes.items():
            if seen.features is None:
                continue
            count = min(units, seen.features.shape[1], len(seen.features) - 1)
            if count >= 2:  # noqa: PLR2004 - two to share something
                most = seen.features.float().var(dim=0).topk(count).indices
                values[f"representation/o_information/{split}"] = o_information(seen.features[:, most])
        return values

    return instrument(tier=Tier.COSTLY)(synergy)


def regions(*, subset: Subset | None = None, radius: float = 0.01, directions: int = 8) -> Instrument:
    """Return the instrument of ``representation/local_complexity/<split>``.

    Nothing is measured of a model that calls no rectifier, takes several inputs, or takes tokens without
    calling an embedding on them.

    Cost: 2 · directions forward passes.

    Args:
        subset: The samples; 128 of the train split by default.
        radius: In units of the inputs, or of the embedding.
        directions: Orthonormal directions looked at, both ways.

    >>> import torch
    >>> from torch import nn
    >>> data = (torch.randn(8, 2), torch.arange(8) % 3)
    >>> reading = Reading(step=0, model=nn.Sequential(nn.Linear(2, 3), nn.ReLU()), splits={"train": data})
    >>> list(regions()(reading))
    ['representation/local_complexity/train']
    """
    chosen = subset or Subset(samples=128)

    def regions(reading: Reading) -> Mapping[str, Tensor]:
        taken = take(reading, chosen)
        if taken is None or len(taken.inputs) != 1:
            return {}
        value = local_complexity(
            reading.model, taken.inputs[0], radius=radius, generator=fixed(reading, 0), directions=directions
        )
        return {} if value is None else {f"representation/local_complexity/{chosen.split}": value}

    return instrument(tier=Tier.COSTLY)(regions)


def dropout(*, subset: Subset | None = None, draws: int = 10) -> Instrument:
    """Return the instrument of ``representation/dropout_accuracy/<split>`` and ``dropout_variance``.

    Nothing is measured of a model without dropout modules.

    Cost: ``draws`` forward passes.

    Args:
        subset: The samples; 512 of the test split by default.
        draws: Masks.

    >>> import torch
    >>> from torch import nn
    >>> data = (torch.randn(8, 2), torch.arange(8) % 3)
    >>> model = nn.Sequential(nn.Dropout(0.5), nn.Linear(2, 3))
    >>> list(dropout()(Reading(step=0, model=model, splits={"test": data})))
    ['representation/dropout_accuracy/test', 'representation/dropout_variance/test']
    """
    chosen = subset or Subset(split="test")

    def dropout(reading: Reading) -> Mapping[str, Tensor]:
        taken = take(reading, chosen)
        if taken is None:
            return {}
        with dropping(reading.model) as has_dropout:
            if not has_dropout:
                return {}
            mean, variance = dropout_accuracy(
                taken.predict, taken.parameters, taken.targets.flatten(), draws=draws
            )
        where = f"representation/dropout_{{}}/{chosen.split}"
        return {where.format("accuracy"): mean, where.format("variance"): variance}

    return instrument(tier=Tier.COSTLY)(dropout)
