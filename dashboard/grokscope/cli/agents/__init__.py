"""Answers for agents: the tools that are offered, what they take, and the server that offers them."""
