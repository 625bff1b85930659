"""The attacks, by kind. Each module has cases(world) that yields Case rows."""
