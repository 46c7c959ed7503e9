"""What an embedding looks like: its rows on their principal axes, and its power by frequency."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from grokscope.collectors.measures.array_instrument import ArrayFn, gives_arrays
from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.instrument import Array, StepContext
from grokscope.collectors.measures.tasks.fourier import frequency_power
from grokscope.collectors.tensors.predictions import widened
from grokscope.collectors.tensors.shards import whole
from grokscope.collectors.tensors.torch_stubs import eigh
from grokscope.schemas.arrays import ArrayMeasure

_MOST_ROWS = 16_384


def principal_coordinates(table: Tensor, *, count: int = 3) -> tuple[Tensor, Tensor]:
    """Return the rows of a table on its first principal axes, and the share of the variance on each axis.

    Args:
        table: ``[V, d]``, a row a token.
        count: Of axes; those that there are fewer of are 0.

    Returns:
        Coordinates ``[V, count]`` and shares ``[count]``, no synchronisation of its own. The sign of an
        axis is that in which its coordinate of largest size is positive.

    Raises:
        ValueError: If the table is not a matrix or is empty.

    Source: Pearson 1901. Cost: O(V d² + d³).

    >>> table = torch.tensor([[0.0, 0.0], [2.0, 0.0], [4.0, 0.0]])
    >>> coordinates, shares = principal_coordinates(table, count=2)
    >>> coordinates[:, 0].abs().round().tolist(), shares.round().tolist()
    ([2.0, 0.0, 2.0], [1.0, 0.0])
    """
    if table.ndim != 2 or not table.numel():  # noqa: PLR2004 - a row a token
        raise ValueError(f"an embedding is a matrix [V, d] that is not empty, got {list(table.shape)}")
    rows = widened(table.detach())
    rows = rows - rows.mean(dim=0)
    variances, axes = eigh(rows.mT @ rows)
    found = min(count, len(variances))
    coordinates = rows @ axes.flip(-1)[:, :found]
    largest = coordinates.gather(0, coordinates.abs().argmax(dim=0, keepdim=True))
    coordinates = coordinates * torch.where(largest < 0, -1.0, 1.0).to(coordinates.dtype)
    shares = variances.flip(-1)[:found].clamp(min=0) / variances.clamp(min=0).sum()
    missing = (0, count - found)
    return nn.functional.pad(coordinates, missing), nn.functional.pad(shares, missing)


def turned_alike(coordinates: Tensor, before: Tensor | None) -> Tensor:
    """Return coordinates with the sign of each axis as it was before: eigenvectors have none of their own.

    Args:
        coordinates: ``[V, K]``.
        before: ``[V, K]`` of an earlier step; ``None``, or of another shape, leaves all as it is.

    Returns:
        ``[V, K]``, no synchronisation.

    Source: definition. Cost: one pass.

    >>> turned_alike(torch.tensor([[1.0], [-1.0]]), torch.tensor([[-2.0], [1.0]]))
    tensor([[-1.],
            [ 1.]])
    """
    if before is None or before.shape != coordinates.shape:
        return coordinates
    agreement = (coordinates * before).sum(dim=0)
    return coordinates * torch.where(agreement < 0, -1.0, 1.0).to(coordinates.dtype)


COORDINATES = ArrayMeasure(
    name="embedding/pca",
    label="embedding on its principal axes",
    unit="1",
    axes=("token", "component"),
    formula="(E - mean) V₃, signs as at the step before",
    source="Pearson 1901",
)
SHARES = ArrayMeasure(
    name="embedding/pca_share",
    label="share of the embedding's variance on each axis",
    unit="1",
    axes=("component",),
    formula="λ_k / Σ λ",
    source="Pearson 1901",
)
FREQUENCIES = ArrayMeasure(
    name="embedding/fourier",
    label="power of the embedding by frequency",
    unit="1",
    axes=("frequency",),
    formula=formula_of(frequency_power),
    source="Nanda et al. 2023, arXiv:2301.05217",
)


@gives_arrays(COORDINATES, SHARES)
def embedding_pca(*, embedding: str | None = None, rows: int | None = None) -> ArrayFn:
    """Return the instrument of ``embedding/pca``: each token's first three principal coordinates.

    The sign of an axis stays as it was at the step before; two axes of nearly equal variance may still change
    places.

    Args:
        embedding: Dotted name of the module whose ``weight`` has a row a token; by default the first
            ``nn.Embedding``.
        rows: Only so many of its first rows; of more than 16 384 these.

    Source: Pearson 1901. Cost: one decomposition of [d, d], at most eight times a decade of steps.

    >>> found = embedding_pca()(StepContext(step=0, model=nn.Embedding(5, 4)))
    >>> {name: list(one.values.shape) for name, one in found.items()}
    {'embedding/pca': [5, 3], 'embedding/pca_share': [3]}
    """
    before: list[Tensor] = []

    def measure(context: StepContext) -> Mapping[str, Array]:
        table = _table(context.model, embedding, rows)
        if table is None:
            return {}
        coordinates, shares = principal_coordinates(table)
        before[:] = [turned_alike(coordinates, before[0] if before else None)]
        components = ["1", "2", "3"]
        return {
            COORDINATES.name: Array(values=before[0], axes={"token": None, "component": components}),
            SHARES.name: Array(values=shares, axes={"component": components}),
        }

    return measure


@gives_arrays(FREQUENCIES)
def embedding_fourier(*, embedding: str | None = None, rows: int | None = None) -> ArrayFn:
    """Return the instrument of ``embedding/fourier``: the embedding's power at each frequency of its rows.

    Args:
        embedding: Dotted name of the module whose ``weight`` has a row a residue; by default the first
            ``nn.Embedding``.
        rows: The modulus, where the table has rows for other tokens behind the residues.

    Source: Nanda et al. 2023, arXiv:2301.05217. Cost: d Fourier transforms, at most eight times a decade.

    >>> found = embedding_fourier(rows=5)(StepContext(step=0, model=nn.Embedding(6, 4)))
    >>> found["embedding/fourier"].axes
    {'frequency': ['1', '2']}
    """

    def measure(context: StepContext) -> Mapping[str, Array]:
        table = _table(context.model, embedding, rows)
        if table is None:
            return {}
        power = frequency_power(table)
        places = [str(place) for place in range(1, len(power) + 1)]
        return {FREQUENCIES.name: Array(values=power, axes={"frequency": places})}

    return measure


def _table(model: nn.Module, name: str | None, rows: int | None) -> Tensor | None:
    if name is not None:
        weight: object = getattr(model.get_submodule(name), "weight", None)
        if not isinstance(weight, Tensor) or weight.ndim != 2:  # noqa: PLR2004 - a row a token
            raise ValueError(f"embedding={name!r} must have a weight [V, d]; name another module")
    else:
        weight = next((m.weight for m in model.modules() if isinstance(m, nn.Embedding)), None)
        if weight is None:
            return None
    return whole(weight).detach()[: min(rows or _MOST_ROWS, _MOST_ROWS)]
