"""The live detector: what it says while a run goes on, and what it may never say."""

import math
import pickle
from collections.abc import Iterator, Mapping

import polars as pl
import pytest

from grokscope.schemas import Kind, OnlineDetector, Status, Transition
from grokscope.transitions import LiveDetector, detect
from grokscope.transitions.evaluation.synthetic import CurveRecipe, Spacing, synthetic_run, truth_of
from grokscope.transitions.live.history import CAPACITY, ROOM, History

RUN = CurveRecipe(evaluations=300, noise=0.005)


def evaluations(points: pl.DataFrame) -> Iterator[tuple[int, Mapping[str, float]]]:
    for row in points.pivot("metric", index="step", values="value").sort("step").iter_rows(named=True):
        yield row.pop("step"), row


def fed(recipe: CurveRecipe, **options: float) -> tuple[LiveDetector, list[Transition]]:
    detector = LiveDetector("synthetic", **options)
    return detector, [
        e for step, values in evaluations(synthetic_run(recipe)) for e in detector.update(step, values)
    ]


def test_it_is_the_detector_that_a_tracker_takes():
    detector: OnlineDetector = LiveDetector()
    assert detector.update(0, {"train/accuracy": 0.1}) == ()
    assert detector.status is None


def test_a_run_that_groks_is_memorized_then_suspected_then_confirmed():
    detector, events = fed(RUN)
    assert list(dict.fromkeys((e.kind, e.status) for e in events)) == [
        (Kind.MEMORIZATION, Status.CONFIRMED),
        (Kind.GENERALIZATION, Status.SUSPECTED),
        (Kind.GENERALIZATION, Status.CONFIRMED),
    ]
    assert (detector.state.value, detector.status) == ("confirmed", Status.CONFIRMED)


def test_the_suspicion_comes_before_half_of_the_rise_is_over_and_brackets_its_onset():
    suspected = next(e for e in fed(RUN)[1] if e.status is Status.SUSPECTED)
    truth = truth_of(RUN)
    assert truth.onset is not None
    assert truth.onset <= suspected.step <= 1.1 * (truth.midpoint or 0)
    assert suspected.low <= 1.1 * truth.onset <= suspected.high


def test_what_is_lost_again_is_regressed():
    detector, events = fed(CurveRecipe(evaluations=300, lost_at=9000.0))
    assert (events[-1].kind, events[-1].status) == (Kind.COLLAPSE, Status.CONFIRMED)
    assert (detector.state.value, detector.status) == ("regressed", Status.REJECTED)


def test_a_collapse_that_recovers_is_withdrawn():
    points = synthetic_run(CurveRecipe(evaluations=600, spacing=Spacing.LINEAR))
    lost = (pl.col("metric") == "test/accuracy") & pl.col("step").is_between(9000, 9500)
    dipped = points.with_columns(value=pl.when(lost).then(0.01).otherwise(pl.col("value")))
    detector = LiveDetector()
    events = [e for step, values in evaluations(dipped) for e in detector.update(step, values)]
    collapses = [e.status for e in events if e.kind is Kind.COLLAPSE]
    assert collapses in ([], [Status.CONFIRMED, Status.REJECTED])
    assert detector.state.value == "confirmed"


def test_information_is_bet_on_before_accuracy_and_suspects_first():
    points = synthetic_run(RUN)
    early = points.filter(pl.col("metric") == "test/accuracy").with_columns(
        metric=pl.lit("test/information"), value=pl.col("value").shift(-8).forward_fill()
    )
    detector = LiveDetector()
    found = [e for s, v in evaluations(pl.concat([points, early])) for e in detector.update(s, v)]
    suspected = next(e for e in found if e.status is Status.SUSPECTED)
    assert suspected.metric == "test/information"
    assert suspected.step < next(e.step for e in fed(RUN)[1] if e.status is Status.SUSPECTED)


def test_watch_and_alert_are_told_with_the_suspicion():
    detector = LiveDetector()
    events: list[Transition] = []
    for i in range(60):
        risen = max(0.0, min((i - 30) / 20, 1.0))
        values = {
            "train/accuracy": 1.0,
            "test/loss": 5 - 4 * risen,
            "test/mrr": 0.1 + 0.9 * risen,
            "test/accuracy": risen,
        }
        events += detector.update(100 * i, values)
    suspected = next(e for e in events if e.status is Status.SUSPECTED)
    assert suspected.metric == "test/mrr"
    assert {check.name: check.text for check in suspected.evidence} == dict(detector.signals)
    assert detector.signals["watch"] == "test/loss fell 5 % below its highest since the fit by step 3400"
    assert detector.signals["alert"] == "test/mrr lifted by step 3400"
    assert detector.signals["evidence"].startswith("e-value ")


def test_the_known_chance_level_serves_as_baseline():
    detector = LiveDetector(baseline=0.0, margin=0.1)
    told = [detector.update(i, {"test/accuracy": 0.9}) for i in range(4)]
    assert [len(events) for events in told].index(1) <= 3


def test_steps_that_go_back_and_values_that_are_no_numbers_are_left_out():
    detector = LiveDetector()
    assert detector.update(10, {"train/accuracy": float("nan"), "test/accuracy": float("inf")}) == ()
    assert detector.update(5, {"train/accuracy": 1.0}) == ()
    assert detector.confirmed() == ()


@pytest.mark.parametrize("alpha", [0.0, 1.0, 2.0])
def test_an_alpha_that_is_no_rate_is_refused(alpha: float):
    with pytest.raises(ValueError, match="alpha is a rate between 0 and 1"):
        LiveDetector(alpha=alpha)


def test_a_loss_that_rests_and_drops_is_a_phase_change_and_needs_no_accuracy():
    detector = LiveDetector()
    events: list[Transition] = []
    for step in range(10, 4000, 20):
        events += detector.update(step, {"train/loss": 2.0 if step < 1000 else 0.5})
    assert [(e.kind, e.status) for e in events] == [(Kind.PHASE_CHANGE, Status.CONFIRMED)]
    assert 800 <= events[0].step <= 1000
    assert detector.state.value == "confirmed"


def test_values_that_stop_being_numbers_are_a_divergence_told_at_once():
    detector = LiveDetector()
    told = [detector.update(s, {"train/loss": 1.0 / s if s < 50 else math.nan}) for s in range(1, 60)]
    (event,) = [e for events in told for e in events if e.kind is Kind.DIVERGENCE]
    assert (event.step, event.low, event.high) == (50, 49, 50)
    first = next(i for i, events in enumerate(told) if any(e.kind is Kind.DIVERGENCE for e in events))
    assert 50 - 1 + 4 <= first <= (50 - 1 + 4) * 9 / 8
    assert detector.state.value == "regressed"


def test_a_suspicion_that_leads_to_nothing_is_withdrawn_once_the_log_is_twice_as_long():
    detector, told = LiveDetector(), list[tuple[int, Status]]()
    for i in range(200):
        values = {
            "train/accuracy": 1.0,
            "test/accuracy": 0.1 + i % 2 / 100,
            "test/mrr": 0.1 if i < 50 else 0.4,
        }
        told += [(i, e.status) for e in detector.update(i, values) if e.kind is Kind.GENERALIZATION]
    (suspected, first), (dropped, last) = told
    assert (first, last) == (Status.SUSPECTED, Status.REJECTED)
    assert 2 * suspected <= dropped <= 3 * suspected + 3
    assert (detector.state.value, detector.status) == ("not yet", None)


def test_slingshots_and_a_recovery_are_told_as_they_come_back():
    detector = LiveDetector()
    kinds: list[Kind] = []
    for i in range(160):
        lost = {40, 41, 70, 71} if i < 100 else set(range(120, 130))
        values = {"train/accuracy": 0.3 if i in lost or i < 4 else 1.0, "test/accuracy": 0.1}
        values["test/accuracy"] = 0.99 if i > 30 and i not in range(120, 130) else 0.1
        kinds += [e.kind for e in detector.update(i, values) if e.status is Status.CONFIRMED]
    assert {Kind.SLINGSHOT, Kind.RECOVERY} <= set(kinds)


def test_accuracies_logged_as_per_cent_under_other_names_are_read_as_shares():
    names = {"train/accuracy": "Train/Acc", "test/accuracy": "test_acc"}
    detector, told = LiveDetector(), list[Transition]()
    for step, values in evaluations(synthetic_run(RUN)):
        told += detector.update(step, {names[key]: 100 * value for key, value in values.items()})
    as_shares = fed(RUN)[1][-1]
    assert (told[-1].kind, told[-1].status) == (as_shares.kind, as_shares.status)
    assert (told[-1].metric, detector.state.value) == ("test/accuracy", "confirmed")


def test_a_pickled_detector_goes_on_where_it_was():
    whole, broken = LiveDetector(), LiveDetector()
    for i, (step, values) in enumerate(evaluations(synthetic_run(RUN))):
        if i % 50 == 0:
            broken = pickle.loads(pickle.dumps(broken))
        assert broken.update(step, values) == whole.update(step, values)
    assert broken.verdict() == whole.verdict()


def test_memory_stays_bounded_however_long_the_run_and_however_many_its_metrics():
    """Sixty-four times 2,048 evaluations at 16 bytes are 2 MiB; names of metrics add a little."""
    history = History()
    metrics = [f"shift:{i}/loss" for i in range(100)]
    for step in range(CAPACITY):
        history.append(step, dict.fromkeys(metrics, 1.0) | {f"task/{step}": 1.0})
    assert history.frame("r").height <= ROOM
    assert not history.is_whole
    assert len(pickle.dumps(history)) < ROOM * 16 + 400_000


def test_every_score_of_sixty_tasks_is_followed_to_the_digit():
    rows = [(f"task{k}/acc", i, float(i > 9 + k % 5)) for i in range(24) for k in range(60)]
    rows += [("train/accuracy", i, float(i > 3)) for i in range(24)]
    points = pl.DataFrame(rows, schema=["metric", "step", "value"], orient="row")
    detector = LiveDetector()
    for step, values in evaluations(points):
        detector.update(step, values)
    assert detector.is_exact
    assert detector.verdict() == detect(points)[0]
    assert len(detector.verdict().outcomes) == 60


def test_curves_beyond_those_that_are_followed_are_counted_in_the_verdict():
    detector = LiveDetector()
    for step in range(3):
        detector.update(step, {f"task{k}/acc": 0.5 for k in range(450)})
    assert not detector.is_exact
    said = detector.verdict().missing[-1]
    assert said == "2 more scores and losses are logged than are followed live."


def test_a_name_that_comes_last_and_tells_how_another_is_read_counts_live_too():
    """Transformers' Trainer ends with the mean loss over the run, which is no point of the curve."""
    rises = [
        (i, {"loss": 2 - i / 20, "eval_loss": 2 - i / 30, "eval_accuracy": float(i > 9)}) for i in range(30)
    ]
    logged = [*rises, (30, {"train_runtime": 9.0, "train_loss": 1.3})]
    detector = LiveDetector()
    for step, values in logged:
        detector.update(step, values)
    rows = [(name, step, value) for step, values in logged for name, value in values.items()]
    points = pl.DataFrame(rows, schema=["metric", "step", "value"], orient="row")
    assert detector.is_exact
    assert detector.verdict() == detect(points)[0]


def test_an_evaluation_may_come_in_parts_and_be_corrected():
    whole, parts = LiveDetector(), LiveDetector()
    for step, values in evaluations(synthetic_run(RUN)):
        whole.update(step, values)
        parts.update(step, {"train/accuracy": values["train/accuracy"], "test/accuracy": 0.5})
        parts.update(step, {"test/accuracy": values["test/accuracy"]})
    assert parts.is_exact
    assert parts.confirmed() == whole.confirmed()


def test_a_step_that_comes_after_a_later_one_is_left_out_and_is_exact_says_so():
    detector = LiveDetector()
    for step in (1, 3, 2):
        detector.update(step, {"weights/norm": 1.0})
    assert detector.is_exact
    detector.update(4, {"test/accuracy": 0.1})
    detector.update(3, {"test/accuracy": 0.1})
    assert not detector.is_exact


def test_a_glitch_beyond_one_makes_no_per_cent_of_shares():
    detector, told = LiveDetector("synthetic"), list[Transition]()
    for i, (step, values) in enumerate(evaluations(synthetic_run(RUN))):
        told += detector.update(step, {**values, "test/accuracy": 1.7} if i == 40 else values)
    assert Status.SUSPECTED in {event.status for event in told}
    assert detector.state.value == "confirmed"


def test_the_whole_detector_stays_as_small_on_a_run_of_twenty_thousand_evaluations():
    detector, sizes = LiveDetector(), list[int]()
    for step in range(20_000):
        detector.update(step, {"train/accuracy": 1.0, "test/accuracy": 0.1, "test/loss": 5.0})
        if step in (2 * CAPACITY, 19_999):
            sizes.append(len(pickle.dumps(detector)))
    assert max(sizes) < 3 * CAPACITY * 16 + 20_000


def test_many_scores_of_tasks_do_not_crowd_out_the_curves_that_a_run_is_judged_by():
    detector = LiveDetector()
    tasks = {f"class_{k}/iou": 0.5 for k in range(80)}
    for i in range(60):
        detector.update(i, {**tasks, "train/accuracy": float(i > 5), "test/accuracy": float(i > 30)})
    assert Kind.GENERALIZATION in {event.kind for event in detector.confirmed()}
