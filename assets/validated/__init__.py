"""The stage `validated`: which rows of the catalogue keep what is expected of them."""
