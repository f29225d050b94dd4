"""Face recognition on the AT&T (ORL) faces."""
