"""The frames of the page Interventions: what runs spend until a target, and what can be said of it."""
