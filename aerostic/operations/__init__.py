"""The command line and what it runs: set-up, embedded servers, the supervisor, the operator's tools."""
