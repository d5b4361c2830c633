"""How far guesses are from prices, and how sure one may be of it: pure functions on tables."""
