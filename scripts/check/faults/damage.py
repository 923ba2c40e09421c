"""Random damage to bytes, files and folders."""

import shutil


def damage(content, rng):
    """Changes bytes at random, in one to three places; returns the new bytes."""
    content = bytearray(content)
    size = len(content)
    for _ in range(rng.integers(1, 4)):
        place = int(rng.integers(0, size)) if rng.random() < 0.5 else int(rng.integers(0, 64))
        length = int(rng.integers(1, 9))
        match rng.integers(0, 6):
            case 0:
                del content[place:]
            case 1:
                del content[place : place + length]
            case 2:
                content[place:place] = rng.bytes(length)
            case 3:
                content[place : place + length] = b"\xff" * length
            case 4:
                content[place : place + length] = b"\0" * length
            case _:
                content[place : place + length] = rng.bytes(length)
    return bytes(content)


def damaged_copy(path, target, rng):
    """Copies a file or folder to `target`, and damages the copy, of a folder one of its files."""
    if path.is_dir():
        shutil.copytree(path, target)
        files = sorted(p for p in target.rglob("*") if p.is_file())
        # An array has many files with its parts and few that describe it; both kinds are damaged
        # equally often.
        descriptions = [p for p in files if p.suffix == ".json"]
        chosen = descriptions if descriptions and rng.random() < 0.5 else files
        path = target = chosen[rng.integers(len(chosen))]
    target.write_bytes(damage(path.read_bytes(), rng))
