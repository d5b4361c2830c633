"""Tuning a language model on prices with QLoRA: a small adapter learns, on a base whose weights stay as they are."""
