"""Charts of the page Interventions: pure, frames in and a chart out."""
