"""Language models whose weights are at hand: loaded, asked and tuned on this machine."""
