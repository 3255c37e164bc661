# Concepts, prompts, sets, training sentences and neutral text.
FACTBOOK = root("data/factbook.jsonl")
CONCEPTS = root(STUDY.concepts.file)
FACTBOOK_BYTES = (
    {"sha256": STUDY.concepts.sha256}
    if STUDY.concepts.sha256 and CONCEPTS == FACTBOOK
    else {}
)
ADDED = [root(path) for path in STUDY.concepts.added]


rule build_factbook:
    input:
        [root(f"data/{name}.tsv") for name in ("cities", "countries", "elements")],
    output:
        factbook=ensure(FACTBOOK, non_empty=True, **FACTBOOK_BYTES),
        coverage="data/coverage.tsv",
    log:
        "logs/build_factbook.log",
    benchmark:
        "benchmarks/build_factbook.tsv"
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        code=code_of("data build"),
        env=env_of("data build"),
    shell:
        "paraspec data build --out {output.factbook} --coverage {output.coverage} "
        "> {log} 2>&1"


rule plan:
    input:
        concepts=CONCEPTS,
        added=ADDED,
        neutral=root("data/neutral.txt"),
    output:
        "data/concepts.parquet",
        "data/prompts.parquet",
        "data/never_seen.parquet",
        "data/sets.parquet",
        "data/corpus.parquet",
        "data/neutral.parquet",
    log:
        "logs/plan.log",
    benchmark:
        "benchmarks/plan.tsv"
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        per_cell=STUDY.concepts.per_cell,
        general_items=STUDY.measure.general_items,
        exposures=listed(STUDY.zoo.exposures),
        added=[f"--added {path}" for path in ADDED],
        untrained="" if TRAINED else "--untrained",
        seed=STUDY.seed,
        code=code_of("data plan"),
        env=env_of("data plan"),
    shell:
        "paraspec data plan {input.concepts} --results . --per-cell {params.per_cell} "
        "--general-items {params.general_items} --exposures {params.exposures} "
        "{params.added} {params.untrained} --neutral {input.neutral} "
        "--seed {params.seed} > {log} 2>&1"


rule tokenizer:
    input:
        "data/corpus.parquet",
    output:
        "data/tokenizer.json",
    log:
        "logs/tokenizer.log",
    benchmark:
        "benchmarks/tokenizer.tsv"
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        vocab_size=STUDY.zoo.vocab_size,
        code=code_of("tokenizer"),
        env=env_of("tokenizer"),
    shell:
        "paraspec tokenizer --results . --vocab-size {params.vocab_size} > {log} 2>&1"
