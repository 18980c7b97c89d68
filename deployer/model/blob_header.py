"""What stands before each blob in the stream to a host."""

# sha256, whether it is executable, length in bytes of what follows
HEADER = ">32s?Q"
