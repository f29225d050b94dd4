"""Losses. Embeddings are [n, d] of unit length; labels are integers [n], equal for copies of one picture (or drawings
of one character). Nothing here says "y = 1 for similar": where a flag is needed it is named for what it means."""
