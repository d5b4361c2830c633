"""A made-up shop for whoever has no product file at hand: generated rows in the raw_meta form.

`kinds` says what the shop sells, `words` what its listings say, `products` draws a product and prices it, `listings`
writes it down, `rows` repeats and soils listings as real files do. Every row says `"generated": true`; every word and
name is invented.
"""

from pricer.catalogue.demo.rows import demo_rows, write_demo

__all__ = ["demo_rows", "write_demo"]
