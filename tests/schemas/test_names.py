from hypothesis import example, given
from hypothesis import strategies as st
from mlflow.utils.validation import _validate_metric_name, _validate_param_name

from grokscope.schemas.limits import KEY_LENGTH
from grokscope.schemas.names import safe_name, stored_name

PATHLIKE = st.text(st.sampled_from("./ab"), min_size=1, max_size=30)


@given(st.text(min_size=1, max_size=300) | PATHLIKE, st.integers(1, 250))
@example("..0", 250)
@example("a/..b", 4)
@example("ab/c", 3)
@example("...", 250)
def test_mlflow_takes_every_safe_name_of_every_length(name, length):
    safe = safe_name(name, length=length)
    _validate_metric_name(safe)
    _validate_param_name(safe)
    assert len(safe) <= max(length, 1)


@given(
    st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20), min_size=1, max_size=4)
)
def test_a_name_that_mlflow_takes_stays_as_it_is(parts):
    name = "/".join(parts[:4])
    assert safe_name(name) == name
    assert stored_name(name) == name


@given(st.lists(st.text(min_size=1, max_size=300) | PATHLIKE, unique=True, max_size=12))
@example(["loss[a]", "loss(a)", "loss_a_"])
def test_each_name_has_a_stored_one_of_its_own_whatever_is_beside_it(names):
    stored = [stored_name(name) for name in names]
    assert len(set(stored)) == len(names)
    for name in stored:
        _validate_metric_name(name)
        _validate_param_name(name)
        assert len(name) <= KEY_LENGTH
        assert stored_name(name) == name
