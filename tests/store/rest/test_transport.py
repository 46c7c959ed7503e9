"""What is asked of a server for a history."""

from types import SimpleNamespace

from grokscope.store.rest.transport import RestTransport


def test_a_whole_history_is_asked_for_from_the_first_step_that_there_may_be_to_the_last():
    asked = []
    transport = RestTransport("http://127.0.0.1:9")
    transport._calls = SimpleNamespace(get=lambda _, content, read: asked.append(content) or [])
    assert transport.since("m", {"r": None}).is_empty()
    assert asked == [
        {
            "run_ids": ["r"],
            "metric_key": "m",
            "start_step": -(2**63),
            "end_step": 2**63 - 1,
            "max_results": 2500,  # at which a server begins to sample
        }
    ]
