"""Which tags MLflow takes."""

import pytest

from grokscope.store import StoreError
from grokscope.store.mlflow_client.tags import checked_tags


@pytest.mark.parametrize(("length", "is_taken"), [(0, False), (1, True), (250, True), (251, False)])
def test_the_name_of_a_tag_has_1_to_250_characters(length, is_taken):
    tags = {"k" * length: "v"}
    if is_taken:
        checked_tags(tags)
    else:
        with pytest.raises(StoreError, match=f"1 to 250 characters, got {length}"):
            checked_tags(tags)


def test_a_text_may_be_as_long_as_is_said_and_one_that_is_removed_has_no_length():
    checked_tags({"a": "x" * 5, "b": None}, most=5)
    with pytest.raises(StoreError, match="'a' may have 5 characters, got 6"):
        checked_tags({"a": "x" * 6}, most=5)
