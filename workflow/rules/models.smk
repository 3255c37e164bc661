# Models: trained here, fetched from the hub, or described where they lie; checked
# before measuring. `model.json` is the edge: it is written when a folder is whole.
MODEL_FILES = ["model.json", "model.safetensors", "config.json", "tokenizer.json"]


rule train:
    input:
        "data/concepts.parquet",
        "data/corpus.parquet",
        "data/tokenizer.json",
    output:
        expand("models/{{model}}/{file}", file=[*MODEL_FILES, "training.csv"]),
    log:
        "logs/train/{model}.log",
    benchmark:
        "benchmarks/train/{model}.tsv"
    wildcard_constraints:
        model=one_of([name for name in TRAINED if name != TRACED]),
    priority: 10
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(120),
    params:
        models=root(STUDY.models),
        recipe=recipe_of,
        code=code_of("train"),
        env=env_of("train"),
    shell:
        "paraspec train --model {wildcards.model} --models {params.models} "
        "--results . > {log} 2>&1"


if TRACED:

    rule train_trajectory:
        input:
            "data/concepts.parquet",
            "data/corpus.parquet",
            "data/tokenizer.json",
        output:
            expand(
                "models/{model}/{file}",
                model=[TRACED, *CHECKPOINTS],
                file=MODEL_FILES,
            ),
            f"models/{TRACED}/training.csv",
        log:
            f"logs/train/{TRACED}.log",
        benchmark:
            f"benchmarks/train/{TRACED}.tsv"
        priority: 20
        conda:
            "../../envs/environment.yaml"
        resources:
            mem_mb=growing(2000),
            runtime=growing(240),
        params:
            model=TRACED,
            models=root(STUDY.models),
            recipe=ROWS[TRACED].recipe,
            steps=listed(STUDY.zoo.trajectory_steps),
            code=code_of("train"),
            env=env_of("train"),
        shell:
            "paraspec train --model {params.model} --models {params.models} --results . "
            "--checkpoints {params.steps} > {log} 2>&1"


# The lock is no input: its other rows would fetch this model anew. What the model needs
# of it is `commit`; rows that are not locked yet are when the run starts (Snakefile).
rule fetch_model:
    output:
        "models/{model}/model.json",
    log:
        "logs/fetch_model/{model}.log",
    benchmark:
        "benchmarks/fetch_model/{model}.tsv"
    wildcard_constraints:
        model=one_of(HUB),
    retries: 2
    localrule: True
    conda:
        "../../envs/environment.yaml"
    resources:
        downloads=1,
        mem_mb=3000,
        runtime=600,
    params:
        models=root(STUDY.models),
        recipe=recipe_of,
        commit=commit_of,
        code=code_of("fetch"),
        env=env_of("fetch"),
    shell:
        "paraspec fetch --model {wildcards.model} --models {params.models} "
        "--results . > {log} 2>&1"


rule register:
    input:
        lambda wildcards: root(f"{ROWS[wildcards.model].source}/config.json"),
    output:
        "models/{model}/model.json",
    log:
        "logs/register/{model}.log",
    benchmark:
        "benchmarks/register/{model}.tsv"
    wildcard_constraints:
        model=one_of(LOCAL),
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        models=root(STUDY.models),
        recipe=recipe_of,
        checkout=root("."),
        code=code_of("register"),
        env=env_of("register"),
    shell:
        "paraspec register --model {wildcards.model} --models {params.models} "
        "--results . --checkout {params.checkout} > {log} 2>&1"


rule check:
    input:
        "models/{model}/model.json",
    output:
        "models/{model}/check.json",
    log:
        "logs/check/{model}.log",
    benchmark:
        "benchmarks/check/{model}.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=needs("check", "mem_mb"),
        runtime=needs("check", "runtime"),
        gpu=needs("check", "gpu"),
    params:
        scorer=scorer_of,
        dtype=dtype_of,
        code=code_of("check"),
        env=env_of("check"),
    shell:
        "HF_HUB_OFFLINE=1 paraspec check models/{wildcards.model} --json {output} "
        "--scorer {params.scorer} --dtype {params.dtype} > {log} 2>&1"
