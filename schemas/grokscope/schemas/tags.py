"""Tags that the writing side puts on an MLflow run and the reading side looks for."""

CLIENT_RUN_ID = "grokscope.client_run_id"
"""The tracker's own id of the run: known before MLflow has been reached."""

LAST_SEEN = "grokscope.last_seen"
"""When the training process was last known to be alive, Unix time in whole ms."""

DAMAGE = "grokscope.damage"
"""What could not be read of what the run had logged: how much, where and why, as a sentence."""

REFUSED = "grokscope.refused"
"""How many records of the run the store refused, and why it refused the last of them."""

DROPPED = "grokscope.dropped"
"""How many points of the run the disk of its trainer could not take."""
