"""The demo's experiment: its data, its model, its sweep."""

import pytest
import torch
from grokscope.experiments.modular_addition import AdditionMLP, Recipe, addition_table

from grokscope.experiments import ARMS, Job, demo_jobs, run_jobs


def test_the_table_is_split_without_overlap_and_holds_every_sum():
    (train_pairs, train_sums), (test_pairs, test_sums) = addition_table(7, 0.5, seed=3)
    pairs = torch.cat([train_pairs, test_pairs])
    assert (len(train_pairs), len(test_pairs)) == (24, 25)
    assert sorted(map(tuple, pairs.tolist())) == [(a, b) for a in range(7) for b in range(7)]
    assert torch.equal(torch.cat([train_sums, test_sums]), pairs.sum(1) % 7)


def test_the_split_depends_on_the_seed_alone():
    first, again, other = (addition_table(11, 0.4, seed=s)[0][0] for s in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("fraction", [0.0, 1.0, -1.0])
def test_a_split_without_a_side_is_refused(fraction):
    with pytest.raises(ValueError, match="train_fraction must leave examples on both sides"):
        addition_table(5, fraction, seed=0)


def test_the_model_is_the_plain_mlp_of_two_embeddings():
    torch.manual_seed(0)
    model = AdditionMLP(5, 8, 16)
    pairs = torch.tensor([[1, 2], [4, 4]])
    e, a, b, u = (p for _, p in model.named_parameters())
    expected = torch.relu(e[pairs[:, 0]] @ a.T + e[pairs[:, 1]] @ b.T) @ u.T
    assert torch.allclose(model(pairs), expected, atol=1e-6)


def test_a_run_describes_itself_on_the_surveys_axes():
    recipe = Recipe(group="g", seed=4, weight_decay=0.5)
    params = {k: str(v) for k, v in recipe.describe().to_params().items()}
    assert params["intervention.regularization.weight_decay"] == "0.5"
    assert params["intervention.data.fraction"] == "0.5"
    assert params["seed"] == "4"


def test_the_demo_sweep_has_six_runs_that_grok_and_six_controls():
    jobs = demo_jobs()
    counts = {arm.group: sum(job.group == arm.group for job in jobs) for arm in ARMS}
    assert counts == {"weight decay 1": 6, "no weight decay": 3, "25 % of the data": 3}
    assert len({(job.group, job.seed) for job in jobs}) == len({job.run_id for job in jobs}) == 12


def short_job(**changes) -> Job:
    return Job(**{"group": "g", "seed": 0, "train_fraction": 0.5, "weight_decay": 1.0, "steps": 20} | changes)


def test_jobs_report_their_progress_and_their_end(tmp_path, monkeypatch):
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path / "home"))
    store = f"sqlite:///{tmp_path}/mlflow.db"
    progress = list(run_jobs([short_job(), short_job(seed=1)], store=store, experiment="e", workers=2))
    for seed in (0, 1):
        mine = [p for p in progress if p.job.seed == seed]
        steps = [p.step for p in mine]
        assert steps == sorted(steps)
        assert (steps[0], steps[-1]) == (0, 20)
        assert [p.code for p in mine] == [None] * (len(mine) - 1) + [0]


def test_a_job_makes_its_detector_by_name_and_says_so_if_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path / "home"))
    store = f"sqlite:///{tmp_path}/mlflow.db"
    jobs = [short_job(detector="grokscope.transitions:LiveDetector"), short_job(detector="grokscope:nothing")]
    ends = [p for p in run_jobs(jobs, store=store, experiment="e", workers=2) if p.code is not None]
    errors = {p.job.detector: (p.code, p.error) for p in ends}
    assert errors["grokscope.transitions:LiveDetector"][0] == 0
    assert errors["grokscope:nothing"][0] == 1
    assert "nothing" in errors["grokscope:nothing"][1]


def test_a_job_that_fails_says_why_and_the_others_go_on(tmp_path, monkeypatch):
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path / "home"))
    jobs = [short_job(train_fraction=2.0), short_job()]
    store = f"sqlite:///{tmp_path}/mlflow.db"
    ends = {
        p.job.train_fraction: p
        for p in run_jobs(jobs, store=store, experiment="e", workers=1)
        if p.code is not None
    }
    assert ends[2.0].code == 1
    assert "train_fraction must leave examples on both sides, got 2.0" in ends[2.0].error
    assert ends[0.5].code == 0


def test_leaving_a_sweep_early_ends_its_processes(tmp_path, monkeypatch, command_lines):
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path / "home"))
    sweep = run_jobs(
        [short_job(steps=10**6)], store=f"sqlite:///{tmp_path}/mlflow.db", experiment="e", workers=1
    )
    run_id = next(sweep).job.run_id
    assert run_id in str(command_lines())
    sweep.close()
    assert run_id not in str(command_lines())
