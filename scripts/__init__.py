"""Programs of the project: for its data, its models, its checks and the tables it reproduces."""
