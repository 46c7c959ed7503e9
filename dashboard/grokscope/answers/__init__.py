"""One function a question: its record says what is known, how surely, and what is missing."""
