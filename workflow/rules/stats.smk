# Across models: tables, verdicts on claims, and the comparison with the published tables.
TABLES = [
    "models",
    "correlations",
    "estimates",
    "tiers",
    "sizes",
    "trajectory",
    "controls",
    "selectors",
    "overlaps",
    "collateral_damage",
    "cross",
    "non_knowledge",
    "curves",
    "causal",
    "causal_contrasts",
    "causal_runs",
    "induced",
]
EVIDENCE = [
    "tables/evidence.parquet",
    "tables/evidence_draws.parquet",
    "tables/headline.json",
]
REFERENCE = BASE / "results/reference" / STUDY.study


rule correlate:
    input:
        expand("models/{model}/model.json", model=MEASURED),
        expand(
            "measure/{model}/{file}",
            model=MEASURED,
            file=[
                "items.parquet",
                "masks.parquet",
                "never_seen.parquet",
                "pss.csv",
                "efficiency.csv",
                "selection.csv",
                "overlap.csv",
                "collateral.parquet",
            ],
        ),
        [f"measure/{STUDY.plant.model}/planted.csv"] if STUDY.plant.model else [],
        expand("causal/{model}/{file}", model=FINETUNED, file=ARM_FILES),
        table=root(STUDY.models),
        prompts="data/prompts.parquet",
    output:
        expand("tables/{table}.csv", table=TABLES),
        EVIDENCE,
    log:
        "logs/correlate.log",
    benchmark:
        "benchmarks/correlate.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(120),
    params:
        models=[f"--model {model}" for model in MEASURED],
        fine_tuned=[f"--fine-tuned {model}" for model in FINETUNED],
        draws=STUDY.stats.draws,
        seed=STUDY.seed,
        code=code_of("correlate"),
        env=env_of("correlate"),
    shell:
        "paraspec correlate --results . {params.models} {params.fine_tuned} "
        "--table {input.table} --draws {params.draws} --seed {params.seed} "
        "> {log} 2>&1"


# A step of its own: a changed claim or threshold computes no statistic again.
rule judge:
    input:
        EVIDENCE,
        claims=root(STUDY.claims),
    output:
        "tables/claims.csv",
        "tables/metrics.json",
    log:
        "logs/judge.log",
    benchmark:
        "benchmarks/judge.tsv"
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        code=code_of("judge"),
        env=env_of("judge"),
    shell:
        "paraspec judge --results . --claims {input.claims} > {log} 2>&1"


rule verify:
    input:
        expand("tables/{table}.csv", table=[*TABLES, "claims"]),
        reference=[root(path) for path in sorted(REFERENCE.glob("*.csv"))],
        tolerances=root("config/verify.yaml"),
    output:
        "tables/verify.csv",
    log:
        "logs/verify.log",
    benchmark:
        "benchmarks/verify.tsv"
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        # The folder, which exists only where a study's tables were published.
        reference=lambda wildcards: root(REFERENCE),
        code=code_of("verify"),
        env=env_of("verify"),
    shell:
        "paraspec verify --results . --reference {params.reference} "
        "--tolerances {input.tolerances} > {log} 2>&1"
