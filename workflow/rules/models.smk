# Models: trained here, or described where they lie; checked before measuring.
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
    params:
        models=root(STUDY.models),
        recipe=recipe_of,
        code=code_of("train"),
        env=env_of("train"),
    shell:
        "paraspec train --model {wildcards.model} --models {params.models} "
        "--results . > {log} 2>&1"


rule train_trajectory:
    input:
        "data/concepts.parquet",
        "data/corpus.parquet",
        "data/tokenizer.json",
    output:
        expand(
            "models/{model}/{file}",
            model=[TRACED, *CHECKPOINTS] if TRACED else ["no-trajectory"],
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
    params:
        model=TRACED,
        models=root(STUDY.models),
        recipe=ROWS[TRACED].model_dump_json() if TRACED else "",
        steps=listed(STUDY.zoo.trajectory_steps),
        code=code_of("train"),
        env=env_of("train"),
    shell:
        "paraspec train --model {params.model} --models {params.models} --results . "
        "--checkpoints {params.steps} > {log} 2>&1"


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
    conda:
        "../../envs/environment.yaml"
    params:
        models=root(STUDY.models),
        recipe=recipe_of,
        code=code_of("register"),
        env=env_of("register"),
    shell:
        "paraspec register --model {wildcards.model} --models {params.models} "
        "--results . > {log} 2>&1"


rule check:
    input:
        "models/{model}/model.json",
    output:
        "models/{model}/check.json",
    log:
        "logs/check/{model}.log",
    benchmark:
        "benchmarks/check/{model}.tsv"
    params:
        scorer=scorer_of,
        dtype=dtype_of,
        code=code_of("check"),
        env=env_of("check"),
    shell:
        "paraspec check models/{wildcards.model} --json {output} "
        "--scorer {params.scorer} --dtype {params.dtype} > {log} 2>&1"
