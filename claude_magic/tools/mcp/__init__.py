"""Local MCP servers: child processes that offer tools, used through the official `mcp` package."""
