"""What the user wrote: options, templates, values, snippets, attachments."""
