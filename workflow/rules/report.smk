# Figures and the page. Each figure is a job of its own. What is wrapped in `report()`
# also stands in `snakemake --report`, with a caption from workflow/report.
from paraspec.report.catalogue import CATALOGUE, module_of


report: "../report/study.rst"


rule figure:
    input:
        expand("tables/{table}.csv", table=TABLES),
        expand("measure/{model}/efficiency.csv", model=MEASURED),
        expand("measure/{model}/vectors.parquet", model=MEASURED),
        "data/concepts.parquet",
    output:
        report(
            "figures/{figure}.svg",
            caption="../report/figure.rst",
            category=lambda wildcards: CATALOGUE[wildcards.figure].category,
            labels=lambda wildcards: {"figure": CATALOGUE[wildcards.figure].title},
        ),
        "figures/{figure}.png",
    log:
        "logs/figure/{figure}.log",
    benchmark:
        "benchmarks/figure/{figure}.tsv"
    wildcard_constraints:
        figure=one_of(CATALOGUE),
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        shows=lambda wildcards: CATALOGUE[wildcards.figure].alt,
        # Of the figures' modules only its own: an edit of one redraws one.
        code=lambda wildcards: code_of("figures", module_of(wildcards.figure)),
        env=lambda wildcards: env_of("figures", module_of(wildcards.figure)),
    shell:
        "paraspec figures --results . --only {wildcards.figure} > {log} 2>&1"


# Costs are read from benchmark files, so what is to be counted comes before.
rule provenance:
    input:
        expand("figures/{figure}.svg", figure=CATALOGUE),
        expand("tables/{table}.csv", table=[*TABLES, "verify"]),
        expand(
            "models/{model}/{file}", model=MEASURED, file=["model.json", "check.json"]
        ),
        "tables/metrics.json",
        claims=root(STUDY.claims),
        concepts=CONCEPTS,
        table=root(STUDY.models),
    output:
        "provenance.json",
    log:
        "logs/provenance.log",
    benchmark:
        "benchmarks/provenance.tsv"
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        # By its path; nor is a commit an input: a new one alone reruns nothing.
        config=root(CONFIG_FILE),
        code=code_of("provenance"),
        env=env_of("provenance"),
    shell:
        "paraspec provenance --results . --config {params.config} "
        "--claims {input.claims} --factbook {input.concepts} --table {input.table} "
        "> {log} 2>&1"


rule report:
    input:
        expand("figures/{figure}.{kind}", figure=CATALOGUE, kind=["svg", "png"]),
        expand("tables/{table}.csv", table=[*TABLES, "claims", "verify"]),
        expand(
            "measure/{model}/{file}",
            model=MEASURED,
            file=["items.parquet", "vectors.parquet", "efficiency.csv"],
        ),
        "provenance.json",
        "data/concepts.parquet",
        "data/prompts.parquet",
        template=[
            root(f"src/paraspec/report/templates/report.{kind}")
            for kind in ("html", "css", "js")
        ],
        claims=root(STUDY.claims),
    output:
        report(
            "report.html",
            caption="../report/page.rst",
            category="The study's page",
            labels={"page": "Verdicts, figures, models and concepts"},
        ),
    log:
        "logs/report.log",
    benchmark:
        "benchmarks/report.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        config=root(CONFIG_FILE),
        code=code_of("report"),
        env=env_of("report"),
    shell:
        "paraspec report --results . --config {params.config} "
        "--claims {input.claims} --out {output} > {log} 2>&1"
