"""``grokscope compare``: tables and stores in, one record out; what is refused, and what it leaves behind."""

import json
import os
from pathlib import Path

import polars as pl
import pytest

SWEEP = Path(__file__).parents[1] / "data" / "sweep.parquet"
BESIDE = Path(__file__).parents[3] / "shared" / "data" / "interventions"
GROUP = {"group", "n", "reached", "median", "low", "high", "rmst"}
CONTRAST = {"a", "b", "speed_up", "low", "high", "p", "attainable_p"}

real_logs = pytest.mark.skipif(
    not BESIDE.is_dir(), reason="other people's logs lie beside the project only here"
)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Four runs each of two settings, one of which never gets there in one run."""
    rows = [
        (f"{wd}-{seed}", wd, seed, step, "val_loss", 3.0 if steps is None or step < steps else 1.0, step / 10)
        for wd, reached in (("0.1", [100, 120, 140, None]), ("1", [20, 30, 40, 50]))
        for seed, steps in enumerate(reached)
        for step in range(10, 210, 10)
    ]
    path = tmp_path_factory.mktemp("table") / "runs.csv"
    names = ["run", "weight_decay", "seed", "step", "metric", "value", "seconds"]
    pl.DataFrame(rows, schema=names, orient="row").write_csv(path)
    return str(path)


def compared(grokscope, *arguments):
    status, out, err = grokscope("compare", *arguments, "--format", "json")
    assert status == 0, err
    return json.loads(out)


def test_a_table_is_compared_by_a_param(grokscope, table):
    found = compared(grokscope, table, "--by", "weight_decay", "--target", "val_loss<=2")
    assert (found["target"], found["estimand"], found["count_in"]) == ("val_loss<=2", "anytime", "steps")
    assert [(g["group"], g["n"], g["reached"], g["median"]) for g in found["groups"]] == [
        ("1", 4, 4, 30.0),
        ("0.1", 4, 3, 120.0),
    ]
    assert found["groups"][0].keys() >= GROUP
    [contrast] = found["contrasts"]
    assert contrast.keys() >= CONTRAST
    assert (contrast["a"], contrast["b"]) == ("1", "0.1")
    assert contrast["p"] == contrast["attainable_p"] == pytest.approx(2 / 70)
    assert contrast["speed_up"] > 2
    assert found["sentence"].startswith("weight_decay 1 is the cheapest")


def test_runs_are_chosen_and_counted_in_seconds(grokscope, table):
    found = compared(
        grokscope,
        table,
        "--by",
        "wd,seed",
        "--target",
        "val_loss<=2",
        "--where",
        "seed < 2",
        "--count-in",
        "seconds",
    )
    assert [(g["group"], g["median"]) for g in found["groups"]] == [
        ("wd=1, seed=0", 2.0),
        ("wd=1, seed=1", 3.0),
        ("wd=0.1, seed=0", 10.0),
        ("wd=0.1, seed=1", 12.0),
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{table}"], "what is to be reached?"),
        (["{table}", "--target", "val_loss"], "a target is METRIC>=VALUE or METRIC<=VALUE, got 'val_loss'"),
        (["{table}", "--target", "loss<=1"], "no run has the metric 'loss'; they have val_loss"),
        (["{table}", "--target", "val_loss<=1", "--by", "lr"], "the runs have no param 'lr'"),
        (["{table}", "--target", "val_loss<=1", "--count-in", "tokens"], "nothing counts 'tokens'"),
        (["{table}", "--target", "val_loss<=1", "--where", "seed <"], "at 7: got the end, expected a value"),
        (["{table}", "--target", "val_loss<=1", "--where", "tag.bad"], "of these runs no tags are known"),
        (["{table}", "--target", "val_loss<=1", "--where", "seed > 9"], "none of the 8 runs is so"),
        (["{table}", "--rule", "algoperf"], "--rule algoperf needs the targets of its workloads"),
        (["{table}", "--rule", "algoperf", "--targets", "none.json"], "'none.json' cannot be read as JSON"),
        (["{table}", "--target", "val_loss<=1", "--targets", "x"], "--targets belongs to --rule algoperf"),
        (["{table}", "--target", "val_loss<=1", "--rule", "speedrun"], "--rule speedrun needs the one param"),
        (["{table}", "--target", "val_loss<=1", "--estimand", "ladder"], "a ladder needs how long each run"),
        (["{table}", "--target", "val_loss<=1", "--report", "x.pdf"], "a report ends in .md or .html"),
        (["none.parquet", "--target", "val_loss<=1"], "'none.parquet' cannot be read"),
        (["sqlite:///none.db", "--target", "val_loss<=1"], "none.db"),
    ],
)
def test_what_cannot_be_carried_out_is_one_sentence(grokscope, table, arguments, said):
    status, out, err = grokscope("compare", *(one.format(table=table) for one in arguments))
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_a_bundle_holds_numbers_runs_figure_and_report(grokscope, table, tmp_path):
    folder = tmp_path / "bundle"
    arguments = (
        table,
        "--by",
        "wd",
        "--target",
        "val_loss<=2",
        "--bundle",
        str(folder),
        "--report",
        "page.html",
    )
    found = compared(grokscope, *arguments)
    assert json.loads((folder / "comparison.json").read_text()) == found
    assert {path.name for path in folder.iterdir()} == {
        "comparison.json",
        "figure.svg",
        "figure.vl.json",
        "outcomes.csv",
        "outcomes_by_group.csv",
        "report.md",
        "runs.csv",
        "survival.csv",
        "tuning.csv",
    }
    assert pl.read_csv(folder / "runs.csv").height == 8
    tuning = pl.read_csv(folder / "tuning.csv", schema_overrides={"group": pl.String})
    assert tuning.select("group", "trials", "median", "reached").rows() == [
        tuple(row[name] for name in ("group", "trials", "median", "reached")) for row in found["tuning"]
    ]
    assert [rate["kind"] for rate in found["exchange_rates"]] == ["between planned budgets", "within runs"]
    outcomes = pl.read_csv(folder / "outcomes.csv").filter(outcome="seconds to target", run_id="1-0")
    assert outcomes["value"].to_list() == [2.0]
    assert (folder / "figure.svg").read_text().startswith("<svg")
    page = (folder / "report.md").read_text()
    assert "Would the answer be another one without the runs that did not get there?" in page
    assert "SHA-256 of the source" in page
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")
    status, _, err = grokscope("compare", *arguments)
    assert status == 2
    assert "is there already; name a new folder" in err


def test_a_table_for_people_says_the_answer_first(grokscope, table):
    status, out, _ = grokscope("compare", table, "--by", "weight_decay", "--target", "val_loss<=2")
    assert status == 0
    assert out.startswith("weight_decay 1 is the cheapest (median 30 steps")
    assert "- No group has 6 runs" in out


def test_our_own_sweep_names_no_winner_where_two_runs_cannot_tell(grokscope):
    found = compared(
        grokscope, str(SWEEP), "--by", "weight_decay,fraction", "--target", "test/accuracy>=0.95"
    )
    assert len(found["groups"]) == 15
    assert "undecided" in found["sentence"]


@real_logs
def test_the_scores_of_algoperf_are_the_published_ones(grokscope):
    logs, targets = BESIDE / "algoperf_v05_external.parquet", BESIDE / "algoperf_v05_targets.json"
    found = compared(grokscope, str(logs), "--rule", "algoperf", "--targets", str(targets))
    published = json.loads((BESIDE / "algoperf_v05_published.json").read_text())["scores"]
    assert {name: score["score"] for name, score in found["scores"].items()} == pytest.approx(
        published, abs=5e-4
    )
    assert all(score["low"] <= score["score"] <= score["high"] for score in found["scores"].values())
    assert sum(row["probability"] for row in found["ranks"] if row["rank"] == 1) == pytest.approx(1)


@real_logs
def test_the_speedrun_gives_every_record_and_most_published_results(grokscope):
    logs, results = BESIDE / "speedrun_track3.parquet", BESIDE / "speedrun_track3_published.json"
    rule = ("--rule", "speedrun", "--target", "val_loss<=3.28", "--by", "record", "--results", str(results))
    found = compared(grokscope, str(logs), *rule)
    assert len(found["groups"]) == 58
    assert all({"steps", "mean", "rule_value", "e_value"} <= group.keys() for group in found["groups"])
    assert all(group["reached"] <= group["n"] <= group["logs"] for group in found["groups"])
    assert sum(claim["agrees"] for claim in found["claims"]) >= 38
    assert all(claim["explanation"] for claim in found["claims"] if not claim["agrees"])


@real_logs
def test_samples_to_target_against_batch_are_intervals_of_the_evaluation_grid(grokscope):
    chosen = ("--where", "benchmark = llama31_405b", "--by", "global_batch", "--target", "eval_accuracy<=5.6")
    found = compared(grokscope, str(BESIDE / "mlperf_v5.parquet"), *chosen)
    assert sum(group["n"] for group in found["groups"]) == 42
    assert any("known only between two of them" in caveat for caveat in found["caveats"])


def test_a_bundle_of_two_params_of_numbers_holds_their_cells_the_next_ones_and_the_front(grokscope, tmp_path):
    folder = tmp_path / "bundle"
    arguments = ("--by", "weight_decay", "--target", "test/accuracy>=0.95", "--bundle", str(folder))
    found = compared(grokscope, str(SWEEP), *arguments)
    cells = pl.read_csv(folder / "phase_diagram.csv")
    assert cells.select("weight_decay", "fraction", "runs", "reached").row(-1) == (3.0, 0.5, 2, 2)
    assert cells["runs"].sum() == 30
    assert pl.read_csv(folder / "next_cells.csv").height == 3
    front = pl.read_csv(folder / "pareto.csv", schema_overrides={"group": pl.String})
    assert set(front["group"]) == {group["group"] for group in found["groups"]}


def test_a_bundle_that_cannot_be_finished_leaves_nothing(grokscope, table, tmp_path, monkeypatch):
    def full(_specs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("grokscope.cli.comparing.outputs.to_svg", full)
    status, _, err = grokscope("compare", table, "--target", "val_loss<=2", "--bundle", str(tmp_path / "b"))
    assert status == 2
    assert "cannot be made ([Errno 28] No space left on device); name another folder" in err
    assert list(tmp_path.iterdir()) == []


def test_the_command_in_a_report_holds_no_secret(grokscope, table, tmp_path, monkeypatch):
    where = "seed != 9 and seed != 'postgresql://ann:pw99@h/d'"
    arguments = [
        "compare",
        table,
        "--target",
        "val_loss<=2",
        "--where",
        where,
        "--report",
        str(tmp_path / "r.md"),
    ]
    monkeypatch.setattr("sys.argv", ["grokscope", *arguments])
    status, _, err = grokscope(*arguments)
    assert status == 0, err
    page = (tmp_path / "r.md").read_text()
    assert "pw99" not in page
    assert "postgresql://h/d" in page


@pytest.mark.parametrize("option", ["--targets", "--results"])
def test_a_pipe_is_no_file_of_a_rule(grokscope, table, tmp_path, option):
    os.mkfifo(tmp_path / "rule.json")
    rule = {"--targets": "algoperf", "--results": "speedrun"}[option]
    more = ["--rule", rule, option, str(tmp_path / "rule.json"), "--by", "weight_decay"]
    status, _, err = grokscope("compare", table, "--target", "val_loss<=2", *more)
    assert status == 2
    assert "rule.json' is no regular file; give the rule's own file" in err


def test_an_imported_sweep_has_the_groups_of_its_table(grokscope, table, tmp_path):
    status, _, err = grokscope("import", table)
    assert status == 0, err
    by = ("--by", "weight_decay", "--target", "val_loss<=2", "--count-in", "seconds")
    stored = compared(grokscope, f"sqlite:///{tmp_path}/mlflow.db", *by)
    from_table = compared(grokscope, table, *by)
    told = ("group", "n", "reached", "median", "low", "high", "rmst")
    assert [[group[name] for name in told] for group in stored["groups"]] == [
        [group[name] for name in told] for group in from_table["groups"]
    ]
    assert stored["contrasts"] == from_table["contrasts"]
