"""What the live suspicion promises, counted: how often null runs are suspected, and false discoveries."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pytest
from scipy.stats import beta

from grokscope.schemas import Kind, Status
from grokscope.transitions import EProcess, LiveDetector, e_bh
from grokscope.transitions.curves.noise import autoregressive
from grokscope.transitions.live.suspicion import Suspicion

ALPHA, RUNS = 0.01, 1000
Rng = np.random.Generator
Scores = Callable[[Rng, int], np.ndarray]


def memorization(rng: Rng, count: int) -> np.ndarray:
    return rng.choice([0.01, 0.1, 0.3, 0.6]) + rng.normal(0, rng.choice([0.002, 0.01, 0.05]), count)


def near_chance(rng: Rng, count: int) -> np.ndarray:
    """A small test set, drawn anew at each evaluation."""
    return rng.binomial(50, rng.choice([0.02, 0.1, 0.5]), count) / 50


def wandering(rng: Rng, count: int) -> np.ndarray:
    """Noise that stays for tens of evaluations: its past predicts it, which no theorem covers here."""
    noise = autoregressive(rng.normal(0, rng.choice([0.01, 0.03, 0.05]), count), persistence=0.9)
    return rng.choice([0.02, 0.1, 0.5]) + noise


def falling(rng: Rng, count: int) -> np.ndarray:
    """Calibration gets worse all along: the level is never reached again."""
    return 0.3 - 0.2 * np.arange(count) / count + rng.normal(0, 0.02, count)


def creeping(rng: Rng, count: int) -> np.ndarray:
    """Memorization that gains a few hundredths over the whole run, less than the margin ahead of its mean."""
    return 0.2 + 0.06 * np.arange(count) / count + rng.normal(0, 0.01, count)


@pytest.mark.parametrize("family", [memorization, near_chance, wandering, falling, creeping])
def test_the_upper_bound_on_the_rate_of_null_runs_ever_suspected_stays_at_alpha(family: Scores):
    """Clopper-Pearson, 95 %, one-sided; runs of 50 to 500 evaluations after the train fit."""
    rng, false = np.random.default_rng(5), 0
    for _ in range(RUNS):
        suspicion = Suspicion("null", alpha=ALPHA, margin=0.05, baseline=None)
        scores = family(rng, int(rng.integers(50, 500))).tolist()
        false += any(suspicion.update(step, {"test/accuracy": x}) for step, x in enumerate(scores))
    assert beta.ppf(0.95, false + 1, RUNS - false) <= ALPHA


def drifting(rng: Rng) -> Iterator[Mapping[str, float]]:
    """Weight decay shrinks over-confident logits: the loss falls by two thirds, the answers stay wrong."""
    for i in range(120):
        shrunk = max(0.0, (i - 20) / 100)
        noise = float(rng.normal(0, 0.003))
        yield {
            "train/accuracy": float(i > 3),
            "test/loss": 9 - 6 * shrunk + noise,
            "test/information": 0.02 + noise,
            "test/mrr": 0.1 + noise,
            "test/accuracy": 0.05 + noise,
        }


def test_loss_drift_under_weight_decay_raises_the_watch_and_never_the_evidence():
    for seed in range(20):
        detector = LiveDetector()
        events = [
            e for i, v in enumerate(drifting(np.random.default_rng(seed))) for e in detector.update(i, v)
        ]
        assert set(detector.signals) == {"watch"}
        assert {(e.kind, e.status) for e in events} <= {(Kind.MEMORIZATION, Status.CONFIRMED)}


def test_ville_holds_with_equality_in_reach_when_the_null_is_as_hard_as_it_can_be():
    """Fair bets on the mean itself, at alpha 0.2, where the bound is close to being used up."""
    rng, false, runs = np.random.default_rng(2), 0, 2000
    for _ in range(runs):
        process = EProcess(mean=0.5)
        false += any(process.update(x) >= 5 for x in rng.binomial(1, 0.5, 100).tolist())
    assert false / runs > 0.02
    assert beta.ppf(0.95, false + 1, runs - false) <= 0.2


def test_a_level_that_moves_with_the_past_keeps_the_bound():
    """m_t follows the score's own conditional expectation, however it wanders."""
    rng, false, runs = np.random.default_rng(3), 0, 1000
    for _ in range(runs):
        process, mean = EProcess(mean=0.5), 0.5
        for _ in range(100):
            mean = float(np.clip(mean + rng.normal(0, 0.1), 0.05, 0.95))
            if process.update(float(rng.random() < mean), mean=mean) >= 5:
                false += 1
                break
    assert beta.ppf(0.95, false + 1, runs - false) <= 0.2


def test_the_e_value_is_an_e_value_on_average():
    """Under the null its expectation is at most 1; 400 runs of fair noise about the level itself."""
    rng = np.random.default_rng(0)
    ends = list[float]()
    for _ in range(400):
        suspicion = Suspicion("null", alpha=1e-6, margin=0.0, baseline=0.2)
        for step in range(40):
            suspicion.update(step, {"test/accuracy": float(rng.random() < 0.2)})
        ends.append(suspicion.e_value)
    assert np.mean(ends) <= 1 + 3 * np.std(ends) / 20


def test_e_bh_keeps_the_false_discovery_rate_over_many_experiments_that_share_their_noise():
    rng, shares = np.random.default_rng(1), list[float]()
    for _ in range(200):
        common = rng.binomial(20, 0.3, 60) / 20
        e_values = dict[str, float]()
        for run in range(20):
            suspicion = Suspicion(str(run), alpha=0.05, margin=0.0, baseline=0.3)
            gain = 0.6 * (np.arange(60) > 30) if run < 5 else 0.0
            for step, x in enumerate(np.clip(common + gain, 0, 1).tolist()):
                suspicion.update(step, {"test/mrr": x})
            e_values[str(run)] = suspicion.e_value
        found = e_bh(e_values, 0.05)
        shares.append(sum(int(run) >= 5 for run in found) / max(len(found), 1))
        assert {str(run) for run in range(5)} <= set(found)
    assert np.mean(shares) <= 0.05
