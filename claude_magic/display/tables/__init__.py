"""Tables: models, journal, map, counts, spending."""
