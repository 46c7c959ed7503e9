"""The commands of ``grokscope``, one file each."""
