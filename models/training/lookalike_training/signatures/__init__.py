"""Offline signature verification on the SigComp 2011 Dutch signatures."""
