"""Programs about the project: its data, its models, its checks, the tables it reproduces."""
