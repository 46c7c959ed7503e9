"""Will a live run reach the target, and how well early ranks tell the end."""
