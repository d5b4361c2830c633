"""The parts of the page Tune."""
