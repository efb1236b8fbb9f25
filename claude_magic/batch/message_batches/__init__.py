"""Message Batches: many requests at half the price, made once, watched in the background, read into the journal."""
