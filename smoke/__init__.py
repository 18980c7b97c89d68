"""`scripts/aws-smoke`: the life of a space in a real account of AWS, rung by rung; or in the emulator of the tests."""
