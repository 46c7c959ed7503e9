"""How often the bootstrap interval of a score over workloads holds the true score, and P(first) is right.

Six algorithms on eight workloads; a study's time is log-normal around the algorithm's median on the workload,
or ∞ with the chance that the algorithm fails there. The true score is that of the true medians (∞ where it
fails more often than not). `python benchmarks/score_intervals.py`: some 40 seconds.
"""

import numpy as np
from scipy.stats import norm

from grokscope.interventions.profiles.performance import profile_area, ratios_to_fastest
from grokscope.interventions.profiles.scoreboard import scoreboard_of
from grokscope.interventions.profiles.study_times import StudyTimes

GROUPS, WORKLOADS, BOARDS, DRAWS = 6, 8, 200, 1000
TAUS = np.linspace(1.0, 4.0, 100)


def score(medians):
    return profile_area(ratios_to_fastest(medians), TAUS)


def boards(rng, studies, spread):
    """Yield times of studies and the true scores."""
    names = {
        "groups": tuple(f"a{k}" for k in range(GROUPS)),
        "workloads": tuple(f"w{k}" for k in range(WORKLOADS)),
    }
    for _ in range(BOARDS):
        medians = np.exp(rng.normal(0.0, 0.35, (GROUPS, WORKLOADS)))
        # Where an algorithm fails sometimes, it fails in one study of six or in five of six.
        fails = rng.choice([0.0, 1 / 6, 5 / 6], p=[0.7, 0.15, 0.15], size=(GROUPS, WORKLOADS))
        noise = np.exp(rng.normal(0.0, spread, (GROUPS, WORKLOADS, studies)))
        failed = rng.random((GROUPS, WORKLOADS, studies)) < fails[..., None]
        costs = np.sort(np.where(failed, np.inf, medians[..., None] * noise), axis=-1)
        # The median of all studies: of those that do not fail, the quantile at 1 / 2 of all.
        yield StudyTimes(**names, costs=costs), score(true_medians(medians, fails, spread))


def true_medians(medians, fails, spread):
    """Return the time that half of all studies need at most."""
    place = np.clip(0.5 / (1 - fails), 0, 1 - 1e-12)
    return np.where(fails < 0.5, medians * np.exp(spread * norm.ppf(place)), np.inf)


def main():
    print("studies  spread  covered  width  first said  first right")
    for studies in (3, 5, 10):
        for spread in (0.05, 0.15):
            rng = np.random.default_rng(0)
            covered, width, said, right = [], [], [], []
            for times, truth in boards(rng, studies, spread):
                board = scoreboard_of(times, score, draws=DRAWS)
                for name, value in zip(times.groups, truth, strict=True):
                    one = board.scores[name]
                    covered.append(one.low - 1e-9 <= value <= one.high + 1e-9)
                    width.append(one.high - one.low)
                first = next(iter(board.scores))
                said.append(board.ranks.filter(group=first, rank=1)["probability"].item())
                right.append(times.groups[int(truth.argmax())] == first)
            print(
                f"{studies:7d}  {spread:6.2f}  {np.mean(covered):7.3f}  {np.mean(width):5.3f}  "
                f"{np.mean(said):10.2f}  {np.mean(right):11.2f}"
            )


if __name__ == "__main__":
    main()
