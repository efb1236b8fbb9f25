"""Local MCP servers: child processes that offer tools, spoken to through the official `mcp` package."""
