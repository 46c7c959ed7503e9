"""Tags of metrics that somebody has damaged."""

import json

import pytest

from grokscope.store.roles.tags import aliases_in, tag_key


@pytest.mark.parametrize(
    "said", [{"name": "acc", "canonical": 3}, {"name": 3, "canonical": "test/accuracy"}, {}, [], "acc"]
)
def test_a_tag_that_does_not_hold_two_names_is_passed_over(said):
    assert aliases_in({tag_key("acc"): json.dumps(said)}) == {}
