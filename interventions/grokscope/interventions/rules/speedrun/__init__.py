"""The GPT-2 speedrun: the fewest steps to a loss, and published results beside their logs."""
