"""The pool to a dataset: a recipe says what is wanted, a plan what it gives, a dataset is the recipe carried out."""
