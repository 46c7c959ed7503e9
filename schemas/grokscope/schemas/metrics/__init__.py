"""The table of metrics: every key that grokscope writes, and what other people call it."""
