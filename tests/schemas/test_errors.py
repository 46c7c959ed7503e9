import pytest

from grokscope import schemas
from grokscope.schemas import GrokscopeError

ERRORS = [getattr(schemas, name) for name in dir(schemas) if name.endswith("Error")]


def test_the_errors_are_public():
    assert len(ERRORS) >= 5


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_can_be_caught_as_one_and_says_what_it_is(error):
    assert issubclass(error, GrokscopeError)
    assert error.__doc__
