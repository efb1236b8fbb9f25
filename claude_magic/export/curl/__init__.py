"""curl commands: a request written as one (`write`), and one read as a request (`parse`)."""
