"""Is it noise, and how many seeds: levels that are known, judged as the noise floor says."""

import numpy as np
import pytest
from mlflow.entities import Metric, Param
from mlflow.tracking import MlflowClient

from grokscope.answers import Asked, QuestionError, StoreReader, as_text, ask
from grokscope.interventions.noise.decision import decide
from grokscope.interventions.noise.floor import noise_floor
from grokscope.interventions.outcomes.target import Target

LEVELS = {"adam": (3.279, 3.281), "muon": (3.270, 3.272), "sgd": (3.300, 3.304)}
TARGET = Target.parse("val_loss<=3.28")


@pytest.fixture(scope="module")
def reader(sweep, tmp_path_factory):
    """Three optimizers of two seeds, whose held-out loss falls to the levels above."""
    path = tmp_path_factory.mktemp("noise") / "mlflow.db"
    path.write_bytes(sweep.read_bytes())
    client = MlflowClient(f"sqlite:///{path}")
    experiment = client.create_experiment("levels")
    for optimizer, levels in LEVELS.items():
        for seed, level in enumerate(levels):
            run = client.create_run(experiment, run_name=f"{optimizer} {seed}", start_time=1).info.run_id
            falling = [level + 8 * 0.2**step for step in range(8)] + [level] * 4
            metrics = [
                Metric(name, value, 1000 + step, step)
                for name in ("train_loss", "val_loss")
                for step, value in enumerate(falling)
            ]
            params = [Param("optimizer", optimizer), Param("seed", str(seed)), Param("task", "t")]
            client.log_batch(run, metrics=metrics, params=params)
            client.set_terminated(run, end_time=2000)
    return StoreReader(f"sqlite:///{path}")


def numbers(answer):
    return {number.what: number for number in answer.numbers}


def test_the_best_group_is_judged_against_the_next_one_by_the_noise_floor_of_all(reader):
    answer = ask("is_it_noise", reader, Asked(experiment="levels", by="optimizer"))
    values = [level for levels in LEVELS.values() for level in levels]
    floor = noise_floor(values, [name for name, levels in LEVELS.items() for _ in levels])
    gain = np.mean(LEVELS["adam"]) - np.mean(LEVELS["muon"])
    expected = decide(gain, floor, 2, 2)
    found = numbers(answer)
    assert found["gain"].value == pytest.approx(gain, rel=1e-6)
    assert (found["gain"].low, found["gain"].high) == pytest.approx((expected.low, expected.high), rel=1e-5)
    assert found["sd of a seed"].value == pytest.approx(floor.sd.value, rel=1e-6)
    assert found["p"].value == pytest.approx(expected.p, rel=1e-5)
    assert expected.verdict == "gain"
    assert as_text(answer).startswith("It is no noise of the seed: this gain is ")
    assert "'muon' ends with 'val/loss' at 3.271 on average of 2 runs, 0.009 better than 'adam'" in as_text(
        answer
    )
    assert "It is the best of 3 groups, chosen after looking" in as_text(answer)


def test_against_a_target_the_seeds_that_are_missing_are_counted(reader):
    asked = Asked(experiment="levels", by="optimizer", target=TARGET)
    found = numbers(ask("how_many_seeds", reader, asked))["more seeds a group"]
    values = [level for levels in LEVELS.values() for level in levels]
    floor = noise_floor(values, [name for name, levels in LEVELS.items() for _ in levels])
    expected = decide(3.28 - np.mean(LEVELS["muon"]), floor, 2)
    assert (found.value, found.low, found.high) == (
        0 if expected.more is None else expected.more,
        expected.more_low,
        expected.more_high,
    )


def test_ranks_of_so_few_runs_are_said_to_be_unable_to_tell(reader):
    answer = ask("how_many_seeds", reader, Asked(experiment="levels", by="optimizer"))
    said = "By ranks alone no result of 2 v 2 runs can have a p below 0.33; 4 v 4 can reach 0.029."
    assert said in as_text(answer)


def test_without_two_runs_of_a_setting_nothing_is_told(reader):
    answer = ask("is_it_noise", reader, Asked(experiment="levels", by="optimizer,seed"))
    assert as_text(answer).startswith("It cannot be told: no configuration has two runs")
    assert numbers(answer)["sd of a seed"].value is None


def test_one_group_alone_has_a_noise_floor_and_no_gain(reader):
    answer = ask("how_many_seeds", reader, Asked(experiment="levels"))
    assert answer.numbers[-1].what == "p"
    alone = ask("is_it_noise", reader, Asked(experiment="levels", by="task"))
    assert as_text(alone).startswith("There is one group of runs; a gain is of two, or over a target. ")
    assert [number.what for number in alone.numbers] == ["sd of a seed"]
    assert alone.numbers[0].value > 0


def test_a_metric_that_no_run_has_ended_with_is_told(reader):
    with pytest.raises(QuestionError, match="no run of 'levels' has ended with 'nothing'"):
        ask("is_it_noise", reader, Asked(experiment="levels", target=Target.parse("nothing<=1")))


def test_a_run_without_the_param_that_is_compared_wins_no_comparison(file):
    client = MlflowClient(f"sqlite:///{file}")
    experiment = client.get_experiment_by_name("sweep").experiment_id
    run = client.create_run(experiment, run_name="stray", start_time=1000).info.run_id
    values = {"train/accuracy": 1.0, "test/accuracy": 1.0}
    metrics = [Metric(name, v * (step > 2), 1000, step) for name, v in values.items() for step in range(12)]
    client.log_batch(run, metrics=metrics, params=[Param("seed", "9")])
    client.set_terminated(run, end_time=2000)
    reader = StoreReader(f"sqlite:///{file}", clock_ms=lambda: 1_045_000)
    for asked in (Asked(), Asked(by="wd")):
        cheapest = ask("cheapest", reader, asked)
        assert {number.of.split()[-1] for number in cheapest.numbers} == {"0", "1"}
        assert "1 run is not compared: " in as_text(cheapest)
        assert "of no group" in as_text(ask("is_it_noise", reader, asked))
