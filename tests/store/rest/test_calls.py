"""Reading the body of an answer, piece by piece."""

from types import SimpleNamespace

import pytest

from grokscope.store import NotMLflowError, RunNotFoundError, StoreError
from grokscope.store.rest.calls import PIECE, RestCalls
from grokscope.store.rest.calls import _kind as kind_of


def test_the_head_and_every_piece_of_an_answer_are_signs_of_life():
    signs = []
    response = SimpleNamespace(iter_content=lambda size: [b"x" * size, b"x" * size, b"x"])
    body = RestCalls("http://127.0.0.1:9")._body(response, sign=lambda: signs.append("life"), most=3 * PIECE)
    assert (len(body), len(signs)) == (2 * PIECE + 1, 3)


@pytest.mark.parametrize(("length", "refused"), [(2 << 20, False), ((2 << 20) + 1, True)])
def test_an_answer_may_be_as_long_as_allowed_and_no_longer(length, refused):
    calls = RestCalls("http://127.0.0.1:9")
    response = SimpleNamespace(iter_content=lambda _: [b"x" * length])
    if refused:
        with pytest.raises(NotMLflowError, match="more than 2 MiB"):
            calls._body(response, sign=lambda: None, most=2 << 20)
    else:
        assert len(calls._body(response, sign=lambda: None, most=2 << 20)) == length


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"{}", None),
        (400, b'{"error_code": "INVALID_PARAMETER_VALUE"}', StoreError),
        (404, b'{"error_code": "RESOURCE_DOES_NOT_EXIST"}', RunNotFoundError),
        (404, b"{}", NotMLflowError),
        (409, b"{}", StoreError),
        (409, b"[]", NotMLflowError),
    ],
)
def test_a_refusal_of_mlflows_own_says_what_is_not_there(status, body, kind):
    assert kind_of(status, body) is kind
