"""The shape of the representation, and how it moves from reading to reading."""

from collections.abc import Mapping

from torch import Tensor

from grokscope.collectors.measures.instrument import Instrument, Reading, instrument
from grokscope.collectors.measures.representation.dimension import two_nn
from grokscope.collectors.measures.representation.probe import ridge_probe
from grokscope.collectors.measures.representation.similarity import cka
from grokscope.collectors.measures.representation.spectrum import (
    alpha_req,
    covariance_spectrum,
    rankme,
    spectral_entropy,
    variance_participation,
)


def representation_spectrum() -> Instrument:
    """Return the instrument of the representation's spectrum, each quantity ``/<split>``.

    ``representation/participation_ratio``, ``spectral_entropy`` and ``alpha_req`` of the covariance, and
    ``rankme`` of the features as they are.

    Source: each measure's own. Cost: two decompositions of d x d a split.

    >>> import torch
    >>> list(representation_spectrum()(Reading(step=0, model=torch.nn.ReLU())))
    []
    """

    def representation_spectrum(reading: Reading) -> Mapping[str, Tensor]:
        values: dict[str, Tensor] = {}
        for split, features in _features(reading).items():
            variances = covariance_spectrum(features)
            values |= {
                f"representation/participation_ratio/{split}": variance_participation(variances),
                f"representation/spectral_entropy/{split}": spectral_entropy(variances),
                f"representation/alpha_req/{split}": alpha_req(variances),
                f"representation/rankme/{split}": rankme(features),
            }
        return values

    return instrument(representation_spectrum)


def intrinsic_dimension(*, samples: int = 1000) -> Instrument:
    """Return the instrument of ``representation/intrinsic_dimension/<split>`` by TwoNN.

    Args:
        samples: At most so many, evenly spread over the split and the same every time.

    Source: Facco et al. 2017. Cost: samples² distances a split.

    >>> import torch
    >>> list(intrinsic_dimension()(Reading(step=0, model=torch.nn.ReLU())))
    []
    """

    def intrinsic_dimension(reading: Reading) -> Mapping[str, Tensor]:
        return {
            f"representation/intrinsic_dimension/{split}": two_nn(_spread(features, samples))
            for split, features in _features(reading).items()
        }

    return instrument(intrinsic_dimension)


def linear_probe(*, ridge: float = 1e-3) -> Instrument:
    """Return the instrument of ``representation/probe_accuracy/<split>``: fit on ``train``, scored elsewhere.

    Args:
        ridge: See ``ridge_probe``.

    Source: Chou et al. 2026, arXiv:2605.27078. Cost: one factorisation of d x d a split.

    >>> import torch
    >>> list(linear_probe()(Reading(step=0, model=torch.nn.ReLU())))
    []
    """

    def linear_probe(reading: Reading) -> Mapping[str, Tensor]:
        features = _features(reading)
        if "train" not in features:
            return {}
        fit, passes = features.pop("train"), reading.passes
        classes = passes["train"].logits.shape[1]
        return {
            f"representation/probe_accuracy/{split}": ridge_probe(
                fit, passes["train"].targets, there, passes[split].targets, classes=classes, ridge=ridge
            )
            for split, there in features.items()
        }

    return instrument(linear_probe)


def alignment(*, reference: Mapping[str, Tensor] | None = None, samples: int = 1000) -> Instrument:
    """Return the instrument of ``representation/cka_*/<split>``: how alike the representation is to others.

    ``cka_init`` to that of the first reading (after a restart: the first since), ``cka_previous`` to that of
    the last one, ``cka_reference`` to one of your own.

    Args:
        reference: Split name -> features ``[N, d']`` of the same samples by another model.
        samples: At most so many, evenly spread over the split and the same every time. Give the split in one
            order, or the comparison is of different samples.

    Source: Kornblith et al. 2019, arXiv:1905.00414. Cost: three products of d x d a split, and two copies of
    the features kept.

    >>> import torch
    >>> from grokscope.collectors.evaluating.forward_pass import Pass
    >>> features = torch.randn(9, 2, generator=torch.Generator().manual_seed(0))
    >>> found = Pass(logits=features, targets=torch.zeros(9).long(), features=features)
    >>> watch, reading = alignment(), Reading(step=0, model=torch.nn.ReLU(), passes={"test": found})
    >>> watch(reading), watch(reading)["representation/cka_init/test"]
    ({}, tensor(1.))
    """
    first: dict[str, Tensor] = {}
    previous: dict[str, Tensor] = {}

    def alignment(reading: Reading) -> Mapping[str, Tensor]:
        values: dict[str, Tensor] = {}
        for split, features in _features(reading).items():
            now = _spread(features, samples).clone()
            others = {"init": first.get(split), "previous": previous.get(split)}
            if reference is not None and split in reference:
                others["reference"] = _spread(reference[split], samples)
            values |= {
                f"representation/cka_{name}/{split}": cka(now, other)
                for name, other in others.items()
                if other is not None and len(other) == len(now)
            }
            first.setdefault(split, now)
            previous[split] = now
        return values

    return instrument(alignment)


def _features(reading: Reading) -> dict[str, Tensor]:
    return {s: p.features.detach() for s, p in reading.passes.items() if p.features is not None}


def _spread(features: Tensor, most: int) -> Tensor:
    return features[:: -(-len(features) // most)]
