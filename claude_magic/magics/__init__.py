"""The magics `%%claude` and `%claude`, the `claude` object, and the hooks into IPython."""
