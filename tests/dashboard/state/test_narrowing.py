import pytest

from grokscope.dashboard.state.narrowing import choices, grouped, narrowed, of_shown_groups
from grokscope.dashboard.state.search import matching
from grokscope.dashboard.state.selection import Selection, group_key
from grokscope.dashboard.state.session import StoreSession


@pytest.fixture(scope="module")
def session(new_training, curves, tmp_path_factory):
    """A grid of two widths by two rates, two seeds each; one more run has no rate."""
    training = new_training(tmp_path_factory.mktemp("grid") / "mlflow.db")
    experiment = training.experiment("grid")
    for width in (8, 16):
        for lr in ("0.1", "1"):
            for seed in range(2):
                params = {"width": width, "lr": lr, "seed": seed, "api_key": f"sk-{width}{lr}{seed}"}
                points = curves(groks=lr == "1")
                training.run(experiment, f"w{width} lr{lr} s{seed}", points, params=params)
    training.run(experiment, "bare", curves(groks=False), params={"width": 8})
    return StoreSession(training.uri)


@pytest.fixture
def snapshot(session):
    return session.snapshot("grid")


def test_runs_are_grouped_by_the_params_that_a_person_chose(snapshot):
    assert grouped(snapshot, ["width"]).groups() == ["width 8", "width 16"]
    assert grouped(snapshot, ["lr", "width"]).groups() == [
        "lr 0.1, width 8",
        "lr 0.1, width 16",
        "lr 1, width 8",
        "lr 1, width 16",
        "no lr",
    ]
    assert grouped(snapshot, []).groups() == ["no group"]
    assert grouped(snapshot, None).groups() == snapshot.groups()


def test_runs_can_be_grouped_by_what_varies_and_is_no_secret(snapshot):
    assert choices(snapshot) == ["lr", "seed", "width"]


def test_a_narrowed_experiment_has_nothing_of_the_runs_that_were_left_out(session, snapshot):
    kept = matching(snapshot, "lr = 1 and width = 8", source=session)
    found = narrowed(snapshot, kept)
    assert sorted(found.runs["name"]) == ["w8 lr1 s0", "w8 lr1 s1"]
    for frame in (found.runs, found.params, found.tags, found.curves):
        assert set(frame["run_id"]) == set(kept)
    assert set(found.verdicts) == set(found.pairs) == set(kept)
    assert found.found != snapshot.found


def test_an_empty_query_leaves_all_and_the_snapshot_as_it_was(session, snapshot):
    assert narrowed(snapshot, matching(snapshot, " ", source=session)) is snapshot


def test_ticked_groups_alone_are_shown_and_keep_their_place_among_the_looks(snapshot):
    found = grouped(snapshot, ["width"])
    shown = of_shown_groups(found, Selection(only=(group_key("width 16"),)))
    assert shown.groups() == ["width 16"]
    assert set(shown.seen) == {"width 8", "width 16"}
    assert of_shown_groups(found, Selection()) is found


def test_groupings_of_one_experiment_are_told_apart_by_what_is_cached(snapshot):
    assert len({grouped(snapshot, by).found for by in (None, [], ["lr"], ["lr", "width"])}) == 4
