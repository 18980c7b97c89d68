"""Heroku's workflow on virtual machines of your own: the command line, the host agent and what they share."""

__version__ = "0.1.0"
