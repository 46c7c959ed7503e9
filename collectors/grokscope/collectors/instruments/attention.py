"""Attention heads, context and routing of language models."""

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from grokscope.collectors.evaluating.preserved_state import device_of
from grokscope.collectors.measures.attention.heads import (
    attention_entropy,
    prefix_matching_score,
    previous_token_score,
)
from grokscope.collectors.measures.attention.patterns import Attention, patterns
from grokscope.collectors.measures.attention.routing import expert_load, pathway_consistency, router_entropy
from grokscope.collectors.measures.instrument import Instrument, Reading, instrument
from grokscope.collectors.measures.location import where
from grokscope.collectors.measures.outputs.in_context import in_context_score
from grokscope.collectors.measures.probing import first_inputs, outputs_of
from grokscope.collectors.measures.representation.spectrum import spectral_entropy
from grokscope.schemas import Tier


def repeated_tokens(vocabulary: int, *, sequences: int = 16, length: int = 64, seed: int = 0) -> Tensor:
    """Return random sequences, each a random segment over and over; the segments differ in length.

    What ``prefix_matching`` is measured on: a fixed length would let a head copy by counting positions.

    Args:
        vocabulary: Tokens are drawn from 0..vocabulary-1.
        sequences: B.
        length: T ≥ 4; segments are from a quarter to half of it.
        seed: Of the draw.

    Source: Olsson et al. 2022, arXiv:2209.11895. Cost: none to speak of.

    >>> repeated_tokens(50, sequences=2, length=8).shape
    torch.Size([2, 8])
    """
    generator = torch.Generator().manual_seed(seed)
    rows: list[Tensor] = []
    for _ in range(sequences):
        period = int(torch.randint(length // 4, length // 2 + 1, (), generator=generator))
        segment = torch.randint(0, vocabulary, (period,), generator=generator)
        rows.append(segment.repeat(-(-length // period))[:length])
    return torch.stack(rows)


def attention_heads(
    *,
    tokens: Tensor | None = None,
    attention: Attention | None = None,
    split: str = "test",
    samples: int = 32,
) -> Instrument:
    """Return the instrument of attention scores: the best head's, and each head's under ``<layer>.<head>``.

    ``attention/previous_token`` and ``prefix_matching`` come as their largest over heads and by head,
    ``attention/entropy`` as its mean over heads and by head.

    Args:
        tokens: ``[B, T]`` to read on, best from ``repeated_tokens``; else the first of ``split``.
        attention: Gives the patterns ``[layers, B, H, T, T]`` of a model; by default those that the model
            itself can be asked for, see ``patterns``.
        split: Read without ``tokens``.
        samples: Likewise, at most.

    Source: Olsson et al. 2022, arXiv:2209.11895. Cost: one forward pass with patterns kept.

    >>> uniform = lambda model, tokens: torch.full((1, 1, 1, 4, 4), 0.25)
    >>> heads = attention_heads(tokens=torch.tensor([[1, 2, 1, 2]]), attention=uniform)
    >>> heads(Reading(step=0, model=nn.ReLU()))["attention/prefix_matching"]
    tensor(0.2500)
    """
    ask = attention or patterns

    def attention_heads(reading: Reading) -> Mapping[str, Tensor]:
        found = (tokens,) if tokens is not None else first_inputs(reading, split=split, samples=samples)
        if found is None:
            return {}
        read = found[0].to(device_of(reading.model))
        seen = ask(reading.model, read)
        scores = {
            "entropy": attention_entropy(seen),
            "previous_token": previous_token_score(seen),
            "prefix_matching": prefix_matching_score(seen, read),
        }
        values = {f"attention/{q}": s.mean() if q == "entropy" else s.amax() for q, s in scores.items()}
        return values | {
            f"attention/{quantity}/{layer}.{head}": value
            for quantity, by_layer in scores.items()
            for layer, by_head in enumerate(by_layer)
            for head, value in enumerate(by_head)
        }

    return instrument(attention_heads)


def in_context(*, early: int = 50, late: int = 500) -> Instrument:
    """Return the instrument of ``<split>/in_context_score`` for splits of token targets ``[B, T]``.

    Args:
        early: Position counted from 1.
        late: Position counted from 1; splits of shorter sequences are passed over.

    Source: Olsson et al. 2022, arXiv:2209.11895. Cost: one softmax pass, free.

    >>> list(in_context()(Reading(step=0, model=nn.ReLU())))
    []
    """

    @instrument(tier=Tier.FREE)
    def in_context(reading: Reading) -> Mapping[str, Tensor]:
        values: dict[str, Tensor] = {}
        for split, found in reading.passes.items():
            targets = _token_targets(reading, split)
            # Where targets were ignored, rows no longer fall into sequences.
            if targets is not None and targets.shape[1] >= late and targets.numel() == len(found.targets):
                losses = nn.functional.cross_entropy(found.logits, found.targets, reduction="none")
                losses = losses.view(targets.shape)
                values[f"{split}/in_context_score"] = in_context_score(losses, early=early, late=late)
        return values

    return in_context


def expert_routing(
    routers: Sequence[str], *, top_k: int = 1, split: str = "train", samples: int = 32
) -> Instrument:
    """Return the instrument of a mixture of experts' routing, by router and along the layers.

    ``routing/entropy``, ``routing/load_balance`` and ``routing/dead_experts``, each ``/<router>``, and
    ``routing/pathway_consistency`` where every router is an ``nn.Linear`` and there are two or more.

    Args:
        routers: Dotted names of the modules that give the routers' logits ``[..., E]``, in order of depth.
        top_k: Experts a token.
        split: Read.
        samples: Examples of it, at most.

    Source: Li, Fan & Zhou 2025, arXiv:2506.21551. Cost: one forward pass.

    >>> model = nn.Sequential(nn.Linear(2, 3))
    >>> reading = Reading(step=0, model=model, splits={"train": (torch.zeros(4, 2), torch.zeros(4).long())})
    >>> list(expert_routing(["0"])(reading))
    ['routing/entropy/0', 'routing/load_balance/0', 'routing/dead_experts/0']
    """

    def expert_routing(reading: Reading) -> Mapping[str, Tensor]:
        chosen = {
            name: output.flatten(0, -2).softmax(dim=-1)
            for name, output in outputs_of(reading, routers, split=split, samples=samples).items()
        }
        values: dict[str, Tensor] = {}
        for name, probabilities in chosen.items():
            load, place = expert_load(probabilities, top_k=top_k), where(name)
            values |= {
                f"routing/entropy/{place}": router_entropy(probabilities),
                f"routing/load_balance/{place}": spectral_entropy(load),
                f"routing/dead_experts/{place}": (load == 0).to(load.dtype).mean(),
            }
        addresses = [reading.model.get_submodule(name) for name in chosen]
        weights = [module.weight for module in addresses if isinstance(module, nn.Linear)]
        if len(weights) == len(chosen) > 1 and len({weight.shape[1] for weight in weights}) == 1:
            embeddings = [p @ w.to(p.dtype) for p, w in zip(chosen.values(), weights, strict=True)]
            values["routing/pathway_consistency"] = pathway_consistency(embeddings)
        return values

    return instrument(expert_routing)


def _token_targets(reading: Reading, split: str) -> Tensor | None:
    data: object = reading.splits.get(split)
    if not isinstance(data, tuple | list) or len(cast("Sequence[object]", data)) != 2:  # noqa: PLR2004
        return None
    targets = cast("Sequence[object]", data)[1]
    return targets if isinstance(targets, Tensor) and targets.ndim == 2 else None  # noqa: PLR2004
