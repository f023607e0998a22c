"""The commands; `tools/` holds one thin script for each."""
