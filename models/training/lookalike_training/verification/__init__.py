"""Is it the same one? Pairs, error curves and thresholds for faces, signatures and whatever is verified next."""
