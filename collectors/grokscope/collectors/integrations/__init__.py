"""Callbacks for other people's training loops, each in a module of its own that imports only its library."""
