"""Model tables to be broken by tests: a zoo row and a published one."""

COLUMNS = [
    "model",
    "source",
    "family",
    "architecture",
    "d_model",
    "n_layers",
    "n_heads",
    "d_ff",
    "n_experts",
    "steps",
    "batch",
    "learning_rate",
    "data_share",
    "seed",
]
ROW = [
    "llama-64",
    "zoo",
    "llama",
    "llama",
    "64",
    "2",
    "4",
    "256",
    "0",
    "200",
    "128",
    "0.003",
    "1.0",
    "0",
]


PUBLISHED = [
    *("model", "source", "revision", "family", "remote_code", "steps"),
    *("trajectory_of", "trajectory_step", "dtype"),
    *("parameters", "released", "mmlu", "mmlu_source"),
]


def table(tmp_path, *rows, header=COLUMNS):
    path = tmp_path / "models.tsv"
    path.write_text("\n".join("\t".join(map(str, r)) for r in (header, *rows)) + "\n")
    return path


def row(**changes):
    return [changes.get(name, value) for name, value in zip(COLUMNS, ROW, strict=True)]


def published(**changes):
    values = {
        "model": "published",
        "source": "hub:owner/name",
        "revision": "main",
        "family": "f",
        "parameters": "7e9",
    }
    return [(values | changes).get(name, "") for name in PUBLISHED]
