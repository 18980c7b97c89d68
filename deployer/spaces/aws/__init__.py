"""Spaces in AWS: what of them needs an account."""
