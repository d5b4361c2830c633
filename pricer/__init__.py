"""Pricer: what does this product cost, judged from its description?"""

__version__ = "0.1.0"
