import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from grokscope.schemas import (
    Check,
    CurveOutcome,
    Date,
    Delay,
    InvalidVerdictError,
    Kind,
    Outcome,
    Pattern,
    Source,
    Status,
    Transition,
    Verdict,
    verdict_from_json,
    verdict_to_dict,
    verdict_to_json,
)
from grokscope.schemas.tags import VERDICT_TAGS
from grokscope.schemas.verdicts.json_schema import committed_schema
from grokscope.store.verdict_tags import tags_of

GOLDEN = Path(__file__).parents[2] / "data" / "verdicts"
validator = Draft202012Validator(committed_schema())
steps = st.integers(-1, 2**60)
levels = st.none() | st.floats(allow_nan=False, allow_infinity=False)
words = st.text(max_size=12)
triples = st.lists(steps, min_size=3, max_size=3).map(sorted)
dates = triples.map(lambda t: Date(low=t[0], step=t[1], high=t[2]))
delays = st.none() | st.builds(Delay, steps=steps, ratio=levels, tokens=levels, flops=levels, seconds=levels)
outcomes = st.builds(
    CurveOutcome,
    metric=words,
    split=words,
    task=words,
    pattern=st.sampled_from(Pattern),
    **dict.fromkeys(("onset", "midpoint", "generalized"), st.none() | dates),
    delay=delays,
    **dict.fromkeys(("level", "best"), levels),
    missing=st.lists(words, max_size=2).map(tuple),
)
checks = st.builds(Check, name=words, outcome=st.sampled_from(Outcome), text=words)


@st.composite
def transitions(draw, run):
    low, step, high = draw(triples)
    return Transition(
        run_id=run,
        metric=draw(words),
        kind=draw(st.sampled_from(Kind)),
        step=step,
        low=low,
        high=high,
        **{name: draw(st.none() | dates) for name in ("onset", "midpoint", "completion")},
        **{name: draw(levels) for name in ("before", "after")},
        status=draw(st.sampled_from(Status)),
        evidence=tuple(draw(st.lists(checks, max_size=2, unique_by=lambda check: check.name))),
        **{name: draw(words) for name in ("definition", "detector", "version")},
        source=draw(st.sampled_from(Source)),
    )


@st.composite
def verdicts(draw):
    run = draw(words)
    return Verdict(
        run=run,
        pattern=draw(st.sampled_from(Pattern)),
        in_progress=draw(st.booleans()),
        **{name: draw(st.none() | dates) for name in ("memorized", "onset", "midpoint", "generalized")},
        delay=draw(delays),
        definition=draw(words),
        detector=draw(words),
        transitions=tuple(draw(st.lists(transitions(run), max_size=2))),
        missing=tuple(draw(st.lists(words, max_size=2))),
        outcomes=tuple(draw(st.lists(outcomes, max_size=2))),
    )


GROKKING = Verdict(
    run="r1",
    pattern=Pattern.GROKKING,
    memorized=Date(step=100, low=75, high=100),
    midpoint=Date(step=975, low=950, high=1000),
    delay=Delay(steps=875, ratio=9.75),
    definition="s-curve",
    detector="grokscope 0.1.0",
    transitions=(
        Transition(
            run_id="r1", metric="test/accuracy", kind=Kind.GENERALIZATION, step=975, low=950, high=1000
        ),
    ),
    outcomes=(
        CurveOutcome(
            metric="test/accuracy",
            split="test",
            pattern=Pattern.GROKKING,
            midpoint=Date(step=975, low=950, high=1000),
            level=0.99,
        ),
    ),
)


def test_a_verdict_is_written_as_the_documented_json():
    assert json.loads(verdict_to_json(GROKKING)) == {
        "run": "r1",
        "pattern": "grokking",
        "in_progress": False,
        "memorized": {"step": 100, "low": 75, "high": 100},
        "onset": None,
        "midpoint": {"step": 975, "low": 950, "high": 1000},
        "generalized": None,
        "delay": {"steps": 875, "ratio": 9.75, "tokens": None, "flops": None, "seconds": None},
        "definition": "s-curve",
        "detector": "grokscope 0.1.0",
        "transitions": [
            {
                "metric": "test/accuracy",
                "kind": "generalization",
                "step": 975,
                "low": 950,
                "high": 1000,
                "onset": None,
                "midpoint": None,
                "completion": None,
                "before": None,
                "after": None,
                "status": "confirmed",
                "evidence": {},
                "definition": "",
                "detector": "",
                "version": "",
                "source": "automatic",
            }
        ],
        "missing": [],
        "outcomes": [
            {
                "metric": "test/accuracy",
                "split": "test",
                "task": "",
                "pattern": "grokking",
                "onset": None,
                "midpoint": {"step": 975, "low": 950, "high": 1000},
                "generalized": None,
                "delay": None,
                "level": 0.99,
                "best": None,
                "missing": [],
            }
        ],
        "schema": 2,
    }


@given(verdicts())
def test_a_verdict_survives_its_json(verdict):
    assert verdict_from_json(verdict_to_json(verdict)) == verdict


@given(verdicts())
def test_every_verdict_is_valid_against_the_schema_and_takes_one_line(verdict):
    validator.validate(verdict_to_dict(verdict))
    assert "\n" not in verdict_to_json(verdict)


@pytest.mark.parametrize("ratio", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_cannot_write_becomes_null(ratio):
    verdict = Verdict(run="a", pattern=Pattern.GROKKING, delay=Delay(steps=1, ratio=ratio))
    assert json.loads(verdict_to_json(verdict))["delay"]["ratio"] is None


def test_a_verdict_needs_only_its_run_and_its_pattern():
    shortest = '{"run": "a", "pattern": "other"}'
    validator.validate(json.loads(shortest))
    assert verdict_from_json(shortest) == Verdict(schema=1, run="a", pattern=Pattern.OTHER)


@pytest.mark.parametrize(
    "change",
    [
        {"run": None},
        {"pattern": None},
        {"pattern": "groking"},
        {"pattern": 3},
        {"colour": "red"},
        {"memorized": {"step": 3}},
        {"memorized": 3},
        {"delay": {"ratio": 2.0}},
        {"transitions": [{"kind": "generalization"}]},
        {"transitions": [{"kind": "birth", "metric": "m", "step": 1, "low": 1, "high": 1}]},
        {"transitions": 3},
    ],
)
def test_what_the_schema_refuses_is_refused_on_reading(change):
    raw = {"run": "a", "pattern": "other", **change}
    raw = {name: value for name, value in raw.items() if value is not None}
    assert not validator.is_valid(raw)
    with pytest.raises(InvalidVerdictError, match="A verdict is the JSON that 'grokscope detect"):
        verdict_from_json(json.dumps(raw))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", '"grokking"', "{}"])
def test_text_that_is_no_verdict_is_refused_and_shown(text):
    with pytest.raises(InvalidVerdictError) as error:
        verdict_from_json(text)
    assert repr(text) in str(error.value)


@pytest.mark.parametrize(("low", "step", "high"), [(2, 1, 3), (1, 4, 3), (3, 2, 1)])
def test_a_date_outside_its_interval_is_refused(low, step, high):
    with pytest.raises(ValueError, match=f"got low {low}, step {step}, high {high}"):
        Date(low=low, step=step, high=high)
    with pytest.raises(ValueError, match="low <= step <= high"):
        Transition(run_id="a", metric="m", kind=Kind.COLLAPSE, low=low, step=step, high=high)


@pytest.mark.parametrize(
    "text",
    [
        '{"run": 3, "pattern": "other"}',
        '{"run": "a", "pattern": "other", "missing": "abc"}',
        '{"run": "a", "pattern": "other", "in_progress": 1}',
        '{"run": "a", "pattern": "other", "onset": {"step": "1", "low": 1, "high": 1}}',
        '{"run": "a", "pattern": "other", "onset": {"step": true, "low": 1, "high": 1}}',
        '{"run": "a", "pattern": "other", "delay": {"steps": 1, "ratio": "x"}}',
        '{"run": "a", "pattern": "other", "transitions": [3]}',
        '{"run": "a", "pattern": "other", "transitions": {}}',
        "[" * 100_000,
    ],
)
def test_values_of_another_type_are_no_verdict(text):
    with pytest.raises(InvalidVerdictError, match="not a verdict"):
        verdict_from_json(text)


@pytest.mark.parametrize("path", sorted(GOLDEN.iterdir()), ids=lambda path: path.stem)
def test_verdicts_and_tags_of_every_version_so_far_are_read(path):
    """They stay in the stores of those who wrote them, so a file here is never changed."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines
    for line in lines:
        verdict = verdict_from_json(json.dumps(line["verdict"]))
        assert line["verdict"].items() <= verdict_to_dict(verdict).items()
        # A tag that is no longer known would never be removed again.
        assert line["tags"].keys() <= set(VERDICT_TAGS)
        assert line["tags"].items() <= tags_of(verdict).items()


@pytest.mark.parametrize(
    ("said", "check"),
    [
        ("pass: 0.01 over 45: flat", Check(name="a", outcome=Outcome.PASS, text="0.01 over 45: flat")),
        (
            "fail: 1 dips below 0.8 since",
            Check(name="a", outcome=Outcome.FAIL, text="1 dips below 0.8 since"),
        ),
        ("unknown: ", Check(name="a", outcome=Outcome.UNKNOWN, text="")),
        ("ends at 0.10 after 1.00", Check(name="a", text="ends at 0.10 after 1.00")),
        ("passed: not an outcome", Check(name="a", text="passed: not an outcome")),
        ("pass", Check(name="a", text="pass")),
    ],
)
def test_a_check_is_read_from_and_written_as_the_text_that_it_has_always_been(said, check):
    event = {"metric": "m", "kind": "collapse", "step": 1, "low": 1, "high": 1, "evidence": {"a": said}}
    verdict = verdict_from_json(json.dumps({"run": "r", "pattern": "other", "transitions": [event]}))
    assert verdict.transitions[0].evidence == (check,)
    assert verdict_to_dict(verdict)["transitions"][0]["evidence"] == {"a": said}


def test_two_checks_of_one_name_are_refused():
    twice = [Check(name="stays", text="a"), Check(name="stays", text="b")]
    with pytest.raises(ValueError, match="each check once, got 'stays', 'stays'"):
        Transition(run_id="a", metric="m", kind=Kind.COLLAPSE, low=1, step=1, high=1, evidence=twice)
