"""The ``grokscope`` command."""
