"""How a mixture of experts routes its tokens."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.instrument import MeasureFn, StepContext, Use, gives
from grokscope.collectors.measures.location import location
from grokscope.collectors.measures.probing import outputs_of
from grokscope.collectors.measures.representation.spectrum import spectral_entropy
from grokscope.collectors.tensors.predictions import widened
from grokscope.collectors.tensors.torch_stubs import vector_norm
from grokscope.schemas import Measure, Tier


def router_entropy(probabilities: Tensor) -> Tensor:
    """Return the mean entropy of a router's choice, over its maximum: 0 is sure, 1 does not choose.

        (1/N) Σᵢ -Σ_e p_ie log p_ie / log E

    Args:
        probabilities: ``[N, E]``, softmax of the router's logits, E ≥ 2.

    Returns:
        Scalar tensor in [0, 1], no synchronisation; NaN with NaN.

    Raises:
        ValueError: If ``probabilities`` is not a matrix or is empty.

    Source: common practice. Cost: one pass.

    >>> router_entropy(torch.tensor([[0.5, 0.5], [1.0, 0.0]]))
    tensor(0.5000)
    """
    return spectral_entropy(_checked(probabilities)).mean()


def expert_load(probabilities: Tensor, *, top_k: int = 1) -> Tensor:
    """Return each expert's share of the assignments, of which every token makes ``top_k``.

    Its ``spectral_entropy`` is the balance of the load (1 is even), the share of zeros that of dead experts.

    Args:
        probabilities: ``[N, E]``.
        top_k: Experts a token, 1..E.

    Returns:
        ``[E]`` summing to 1, no synchronisation.

    Raises:
        ValueError: If ``probabilities`` is not a matrix or is empty, or ``top_k`` is outside 1..E.

    Source: Shazeer et al. 2017, arXiv:1701.06538. Cost: one pass.

    >>> expert_load(torch.tensor([[0.7, 0.2, 0.1], [0.6, 0.1, 0.3]]), top_k=2)
    tensor([0.5000, 0.2500, 0.2500])
    """
    rows = _checked(probabilities)
    if not 1 <= top_k <= rows.shape[1]:
        raise ValueError(f"top_k must lie in 1..{rows.shape[1]}, the number of experts, got {top_k}")
    chosen = rows.topk(top_k, dim=1).indices.flatten()
    return rows.new_zeros(rows.shape[1]).index_add_(
        0, chosen, torch.ones_like(chosen, dtype=rows.dtype)
    ) / len(chosen)


def pathway_consistency(embeddings: Sequence[Tensor]) -> Tensor:
    """Return how alike the experts are that consecutive layers choose for a token.

        mean over tokens and layers of cos(eₗ, eₗ₊₁),  eₗ = Σ_e p_e w_e

    with w_e the router's weight vector of expert e, its address in the residual stream.

    Args:
        embeddings: eₗ ``[N, d]`` a layer, at least two of them.

    Returns:
        Scalar tensor in [-1, 1], no synchronisation; NaN where an embedding is 0 or NaN.

    Raises:
        ValueError: If there are fewer than two layers or their shapes differ.

    Source: Li, Fan & Zhou 2025, arXiv:2506.21551. Cost: one pass.

    >>> pathway_consistency([torch.tensor([[1.0, 0.0]]), torch.tensor([[3.0, 0.0]])])
    tensor(1.)
    """
    if len(embeddings) < 2 or len({e.shape for e in embeddings}) > 1:  # noqa: PLR2004 - a layer and the next
        raise ValueError(
            f"a pathway needs two or more layers of [N, d], got {[list(e.shape) for e in embeddings]}"
        )
    layers = torch.stack([_checked(e) for e in embeddings])
    directions = layers / vector_norm(layers, dim=-1).unsqueeze(-1)
    return (directions[1:] * directions[:-1]).sum(dim=-1).mean()


def _checked(rows: Tensor) -> Tensor:
    if rows.ndim != 2 or not rows.numel():  # noqa: PLR2004 - tokens and experts
        raise ValueError(f"routing is read from [N, E] that is not empty, got {list(rows.shape)}; flatten it")
    return widened(rows.detach())


_SHAZEER = "Shazeer et al. 2017, arXiv:1701.06538"

ROUTER_ENTROPY = Measure(
    key="routing/entropy",
    label="normalised entropy of the router",
    unit="1",
    low=0.0,
    high=1.0,
    tier=Tier.CHEAP,
    formula=formula_of(router_entropy),
    source="common practice",
)
LOAD_BALANCE = Measure(
    key="routing/load_balance",
    label="evenness of the experts' load",
    unit="1",
    low=0.0,
    high=1.0,
    tier=Tier.CHEAP,
    formula="-Σ_e f_e log f_e / log E,  f_e the share of assignments to expert e",
    source=_SHAZEER,
)
DEAD_EXPERTS = Measure(
    key="routing/dead_experts",
    label="share of experts without a token",
    unit="1",
    low=0.0,
    high=1.0,
    tier=Tier.CHEAP,
    formula="(1/E) #{e : f_e = 0}",
    source=_SHAZEER,
)
PATHWAY_CONSISTENCY = Measure(
    key="routing/pathway_consistency",
    label="likeness of experts in consecutive layers",
    unit="1",
    low=-1.0,
    high=1.0,
    tier=Tier.CHEAP,
    formula=formula_of(pathway_consistency),
    source="Li, Fan & Zhou 2025, arXiv:2506.21551",
)


@gives(ROUTER_ENTROPY, LOAD_BALANCE, DEAD_EXPERTS, PATHWAY_CONSISTENCY, use=Use.NAMED)
def expert_routing(
    routers: Sequence[str], *, top_k: int = 1, split: str = "train", samples: int = 32
) -> MeasureFn:
    """Return the instrument of a mixture of experts' routing, by router and along the layers.

    ``routing/entropy``, ``routing/load_balance`` and ``routing/dead_experts``, each ``/<router>``, and
    ``routing/pathway_consistency`` where every router is an ``nn.Linear`` and there are two or more.

    Args:
        routers: Dotted names of the modules that give the routers' logits ``[..., E]``, in order of depth.
        top_k: Experts a token.
        split: Measured.
        samples: Examples of it, at most.

    Source: Li, Fan & Zhou 2025, arXiv:2506.21551. Cost: one forward pass.

    >>> model = nn.Sequential(nn.Linear(2, 3))
    >>> data = (torch.zeros(4, 2), torch.zeros(4).long())
    >>> list(expert_routing(["0"])(StepContext(step=0, model=model, splits={"train": data})))
    ['routing/entropy/0', 'routing/load_balance/0', 'routing/dead_experts/0']
    """

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        chosen = {
            name: output.flatten(0, -2).softmax(dim=-1)
            for name, output in outputs_of(context, routers, split=split, samples=samples).items()
        }
        values: dict[str, Tensor] = {}
        for name, probabilities in chosen.items():
            load, place = expert_load(probabilities, top_k=top_k), location(name)
            values |= {
                ROUTER_ENTROPY.at(place): router_entropy(probabilities),
                LOAD_BALANCE.at(place): spectral_entropy(load),
                DEAD_EXPERTS.at(place): (load == 0).to(load.dtype).mean(),
            }
        addresses = [context.model.get_submodule(name) for name in chosen]
        weights = [module.weight for module in addresses if isinstance(module, nn.Linear)]
        if len(weights) == len(chosen) > 1 and len({weight.shape[1] for weight in weights}) == 1:
            embeddings = [p @ w.to(p.dtype) for p, w in zip(chosen.values(), weights, strict=True)]
            values[PATHWAY_CONSISTENCY.key] = pathway_consistency(embeddings)
        return values

    return measure
