import pytest

from grokscope.dashboard.component import page_shell
from grokscope.dashboard.component.page_shell import EVERY_S, POLL_S
from grokscope.dashboard.state.phases import Phase
from grokscope.dashboard.views.live import page as live
from grokscope.dashboard.views.live.cards import places
from grokscope.dashboard.views.live.chips import chip_of
from grokscope.transitions import State


@pytest.fixture
def timers(monkeypatch):
    """Pauses of the fragments that a page asks for, in seconds; ``None`` for none."""
    asked, fragment = [], page_shell.st.fragment

    def recorded(*functions, run_every=None, **options):
        asked.append(run_every)
        return fragment(*functions, run_every=run_every, **options)

    monkeypatch.setattr(page_shell.st, "fragment", recorded)
    return asked


@pytest.fixture(scope="module")
def finished(new_training, tmp_path_factory, curves):
    training = new_training(tmp_path_factory.mktemp("finished") / "mlflow.db")
    training.run(training.experiment("done"), "last", curves(groks=True), age_s=600)
    return training


def test_while_a_run_trains_the_page_is_drawn_often(page, sweep, timers):
    page("live", sweep.uri)
    assert timers == [live.EVERY_S]
    assert live.EVERY_S < POLL_S


@pytest.mark.parametrize("view", ["live", "compare", "health"])
def test_where_nothing_trains_the_store_is_only_asked_now_and_then(page, finished, timers, view):
    page(view, finished.uri, experiment="done")
    assert timers == [None, POLL_S]


def test_just_after_a_run_the_next_of_a_sweep_is_not_missed(page, training, curves, timers, monkeypatch):
    training.run(training.experiment("done"), "last", curves(groks=True))
    app = page("live", training.uri, experiment="done")
    assert timers == [None, live.EVERY_S]
    monkeypatch.setattr(page_shell, "_SIGN_OF_LIFE_S", 0)
    app.run()
    assert timers[-2:] == [None, POLL_S]


def test_without_a_run_the_page_waits_for_the_first(page, training, timers):
    page("health", training.uri, experiment=None)
    page("compare", training.uri, experiment=None)
    assert min(timers) >= EVERY_S


def test_a_paused_page_asks_for_nothing_and_says_so(page, sweep, timers, texts):
    app = page("live", sweep.uri)
    del timers[:]
    app.toggle(key="live_pause").set_value(True).run()
    assert timers == [None]
    assert any(text.startswith("Paused: this is how it was at") for text in texts(app))


def test_where_nothing_trains_the_page_says_which_run_ended_last(page, finished, texts):
    said = texts(page("live", finished.uri, experiment="done"))
    (line,) = [text for text in said if text.startswith("Nothing is training.")]
    assert line.startswith("Nothing is training. The last run, **last**, ended at ")
    assert line.endswith("with 2 events. New runs appear here by themselves.")


def test_a_run_that_begins_is_drawn_once_the_store_is_asked(page, training, curves, texts):
    experiment = training.experiment("done")
    training.run(experiment, "first", curves(groks=False))
    app = page("live", training.uri, experiment="done")
    training.run(experiment, "second", curves(groks=True, until=100), status="RUNNING", age_s=-60)
    app.run()
    assert "**second**" in texts(app)
    assert {m.label: m.value for m in app.metric}["Training now"] == "1"


def test_a_card_says_what_measuring_costs_and_how_busy_its_machine_is(page, training, curves, texts):
    own = [
        ("collector/share", 0.5, 0),
        ("collector/share", 0.012, 10),
        ("system/cpu_utilization_percentage", 31.4, 0),
        ("system/gpu_0_utilization_percentage", 97.0, 0),
        ("system/network_receive_megabytes", 5.0, 0),
    ]
    points = [*curves(groks=True, until=100), *own]
    training.run(training.experiment("busy"), "busy", points, status="RUNNING", age_s=-60)
    said = texts(page("live", training.uri, experiment="busy"))
    assert "measuring takes 1.2 % of its time · CPU 31 % · GPU 0 97 %" in said


def test_a_withdrawn_event_is_struck_through_with_why(page, sweep, texts):
    from grokscope.dashboard.views.live.alerts import _said  # noqa: PLC0415
    from grokscope.schemas import Kind, Status  # noqa: PLC0415

    row = {"step": 500, "low": 475, "high": 525, "at": 900, "metric": "test/accuracy", "why": "it fell <b>"}
    said = _said(row, Kind.GENERALIZATION, Status.REJECTED)
    assert said.startswith("~~generalization of step 500~~ ")
    assert said.endswith("withdrawn at step 900: it fell \\<b\\>")


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("state", [None, *State])
@pytest.mark.parametrize("has_ended", [False, True])
def test_every_run_has_one_word_with_what_it_means(phase, state, has_ended):
    chip = chip_of(phase, state, has_ended=has_ended)
    assert chip.word
    assert not (has_ended and chip.word in {"starting", "training", "learning", "generalizing"})
    assert chip.help.endswith(".")
    if phase in {Phase.GENERALIZED, Phase.DIVERGED} and state is not State.REGRESSED:
        assert chip.word == phase.value


def test_cards_keep_their_places_and_no_more_are_drawn_than_fit():
    assert places([], ["a", "b", "c"], "abc", most=2) == ["a", "b"]
    assert places(["a", "b"], ["b", "c"], "abc", most=2) == ["c", "b"]
    assert places(["a", "b"], [], "ab", most=2) == ["a", "b"]
    assert places(["a", "b"], ["b"], "b", most=2) == ["b"]
