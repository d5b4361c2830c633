"""The record of what was asked for and what came of it: recipes, and launched jobs."""
