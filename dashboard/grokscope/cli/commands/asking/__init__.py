"""Commands that answer questions about the runs of a store: at the terminal, and for agents."""
