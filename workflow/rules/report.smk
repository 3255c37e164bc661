# Figures and the page. Each figure is a job of its own.
FIGURES = [
    "pss_accuracy",
    "masking_curves",
    "tiers",
    "trajectory",
    "controls",
    "efficiency",
]


rule figure:
    input:
        expand("tables/{table}.csv", table=TABLES),
        expand("measure/{model}/efficiency.csv", model=MEASURED),
    output:
        "figures/{figure}.svg",
        "figures/{figure}.png",
    log:
        "logs/figure/{figure}.log",
    benchmark:
        "benchmarks/figure/{figure}.tsv"
    wildcard_constraints:
        figure=one_of(FIGURES),
    conda:
        "../../envs/environment.yaml"
    params:
        code=code_of("figures"),
        env=env_of("figures"),
    shell:
        "paraspec figures --results . --only {wildcards.figure} > {log} 2>&1"


rule report:
    input:
        expand("figures/{figure}.{kind}", figure=FIGURES, kind=["svg", "png"]),
        expand("tables/{table}.csv", table=[*TABLES, "verify"]),
        "tables/metrics.json",
        template=[
            root(f"src/paraspec/report/templates/report.{kind}")
            for kind in ("html", "css")
        ],
        claims=root(STUDY.claims),
        concepts=CONCEPTS,
    output:
        "report.html",
    log:
        "logs/report.log",
    benchmark:
        "benchmarks/report.tsv"
    conda:
        "../../envs/environment.yaml"
    params:
        config=root(CONFIG_FILE),
        code=code_of("report"),
        env=env_of("report"),
    shell:
        "paraspec report --results . --config {params.config} "
        "--claims {input.claims} --factbook {input.concepts} --out {output} "
        "> {log} 2>&1"
