# One model at a time: coefficients, answers under masks, PSS, efficiency.
scattergather:
    concepts=STUDY.measure.parts,  # `--set-scatter concepts=N` goes before this


PARTS = gather.concepts("measure/{{model}}/parts/{scatteritem}.parquet")
if len(PARTS) == 1:
    PARTS = []  # one job answers all: `score` itself


rule extract:
    input:
        "models/{model}/model.json",
        "models/{model}/check.json",
        "data/concepts.parquet",
        "data/prompts.parquet",
        "data/sets.parquet",
    output:
        # Kept while the job runs: what is known of other concepts is taken over.
        update("measure/{model}/activations.safetensors"),
        update("measure/{model}/statistics.safetensors"),
        "measure/{model}/vectors.parquet",
        "measure/{model}/selection.csv",
        "measure/{model}/overlap.csv",
    log:
        "logs/extract/{model}.log",
    benchmark:
        "benchmarks/extract/{model}.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=needs("extract", "mem_mb"),
        runtime=needs("extract", "runtime"),
        gpu=needs("extract", "gpu"),
    params:
        batch_rows=STUDY.measure.batch_rows,
        scorer=scorer_of,
        asking=asking_of,
        chat=chat_of,
        dtype=dtype_of,
        controls=controls_of,
        seed=STUDY.seed,
        code=code_of("extract"),
        env=env_of("extract"),
    shell:
        "HF_HUB_OFFLINE=1 paraspec extract --model {wildcards.model} --results . "
        "--batch-rows {params.batch_rows} --scorer {params.scorer} "
        "--asking {params.asking:q} {params.chat} --dtype {params.dtype} "
        "{params.controls} --seed {params.seed} > {log} 2>&1"


rule score:
    input:
        "models/{model}/model.json",
        "measure/{model}/activations.safetensors",
        "measure/{model}/statistics.safetensors",
        "data/concepts.parquet",
        "data/prompts.parquet",
        "data/never_seen.parquet",
        "data/neutral.parquet",
        "data/sets.parquet",
        parts=PARTS,
    output:
        # Kept while the job runs: answers already given are taken over.
        update("measure/{model}/items.parquet"),
        "measure/{model}/masks.parquet",
        "measure/{model}/never_seen.parquet",
        update("measure/{model}/collateral.parquet"),
    log:
        "logs/score/{model}.log",
    benchmark:
        "benchmarks/score/{model}.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=needs("score", "mem_mb"),
        runtime=needs("score", "runtime"),
        gpu=needs("score", "gpu"),
    params:
        ratios=lambda wildcards: listed(grid_of(wildcards).ratios),
        general_ratios=lambda wildcards: listed(grid_of(wildcards).general_ratios),
        keep=lambda wildcards: keep_of(grid_of(wildcards)),
        random_draws=lambda wildcards: grid_of(wildcards).random_draws,
        batch_rows=STUDY.measure.batch_rows,
        masking=STUDY.measure.masking,
        compiled="--compile" if STUDY.measure.compile else "",
        scorer=scorer_of,
        asking=asking_of,
        chat=chat_of,
        dtype=dtype_of,
        seed=STUDY.seed,
        controls=controls_of,
        cross=cross_of,
        part=lambda wildcards, input: [f"--taken {path}" for path in input.parts],
        code=code_of("score"),
        env=env_of("score"),
    shell:
        "HF_HUB_OFFLINE=1 paraspec score --model {wildcards.model} --results . "
        "{params.part} "
        "--ratios {params.ratios} --general-ratios {params.general_ratios} "
        "{params.keep} --random-draws {params.random_draws} "
        "--batch-rows {params.batch_rows} --scorer {params.scorer} "
        "--asking {params.asking:q} {params.chat} --dtype {params.dtype} "
        "--seed {params.seed} --masking {params.masking} {params.compiled} "
        "{params.controls} {params.cross} "
        "> {log} 2>&1"


# With more than one part, jobs of their own answer the concepts; `score` then only
# gathers them, to the same bytes as one job.
use rule score as score_part with:
    input:
        "models/{model}/model.json",
        "measure/{model}/activations.safetensors",
        "measure/{model}/statistics.safetensors",
        "data/concepts.parquet",
        "data/prompts.parquet",
        "data/sets.parquet",
    output:
        update("measure/{model}/parts/{scatteritem}.parquet"),
    log:
        "logs/score_part/{model}.{scatteritem}.log",
    benchmark:
        "benchmarks/score_part/{model}.{scatteritem}.tsv"
    params:
        part=lambda wildcards: f"--part {wildcards.scatteritem}",


rule pss:
    input:
        "measure/{model}/items.parquet",
    output:
        "measure/{model}/pss.csv",
    log:
        "logs/pss/{model}.log",
    benchmark:
        "benchmarks/pss/{model}.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        draws=STUDY.stats.draws,
        seed=STUDY.seed,
        code=code_of("pss"),
        env=env_of("pss"),
    shell:
        "paraspec pss {input} --out {output} --draws {params.draws} "
        "--seed {params.seed} > {log} 2>&1"


rule ablate:
    input:
        "measure/{model}/items.parquet",
    output:
        "measure/{model}/efficiency.csv",
    log:
        "logs/ablate/{model}.log",
    benchmark:
        "benchmarks/ablate/{model}.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        code=code_of("ablate"),
        env=env_of("ablate"),
    shell:
        "paraspec ablate {input} --out {output} > {log} 2>&1"


if STUDY.plant.model:

    rule plant:
        input:
            f"models/{STUDY.plant.model}/model.json",
            f"models/{STUDY.plant.model}/check.json",
            "data/concepts.parquet",
            "data/prompts.parquet",
            "data/sets.parquet",
        output:
            f"measure/{STUDY.plant.model}/planted.csv",
        log:
            f"logs/plant/{STUDY.plant.model}.log",
        benchmark:
            f"benchmarks/plant/{STUDY.plant.model}.tsv"
        conda:
            "../../envs/environment.yaml"
        resources:
            mem_mb=growing(2000),
            runtime=growing(120),
        params:
            model=STUDY.plant.model,
            concepts=STUDY.plant.concepts,
            batch_rows=STUDY.measure.batch_rows,
            scorer=ROWS[STUDY.plant.model].scorer,
            dtype=ROWS[STUDY.plant.model].dtype,
            seed=STUDY.seed,
            code=code_of("plant"),
            env=env_of("plant"),
        shell:
            "HF_HUB_OFFLINE=1 paraspec plant --model {params.model} --results . "
            "--concepts {params.concepts} --batch-rows {params.batch_rows} "
            "--scorer {params.scorer} --dtype {params.dtype} --seed {params.seed} "
            "> {log} 2>&1"
