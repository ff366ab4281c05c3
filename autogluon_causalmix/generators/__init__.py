"""What draws synthetic rows: the protocol, the contract of the rows, one file per built-in generator."""
