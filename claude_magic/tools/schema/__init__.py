"""Types as JSON Schemas, and JSON as values of types: `pydantic` does both, and is imported when first used."""
