"""The cloud half: a space's specification, what it costs, and what it is made of. Nothing runs on import."""
