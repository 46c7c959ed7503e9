"""How curves are written down: names and units of scores, habits of people, what goes wrong."""
