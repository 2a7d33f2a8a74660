"""The description of the policy API, one part a file; crds/generate.py puts them together."""
