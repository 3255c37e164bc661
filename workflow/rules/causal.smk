# Causal experiments: the arms of one model, fine-tuned and measured in one process.
ARM_FILES = ["arms.csv", "sweep.csv", "items.parquet", "answers.parquet"]
FINETUNED = list(STUDY.causal.fine_tuned)


rule finetune:
    input:
        "models/{model}/model.json",
        "models/{model}/check.json",
        "measure/{model}/activations.safetensors",
        "data/concepts.parquet",
        "data/prompts.parquet",
        "data/sets.parquet",
        "data/corpus.parquet",
    output:
        expand("causal/{{model}}/{file}", file=ARM_FILES),
    log:
        "logs/finetune/{model}.log",
    benchmark:
        "benchmarks/finetune/{model}.tsv"
    priority: 10  # the longest job
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=needs("finetune", "mem_mb"),
        runtime=needs("finetune", "runtime"),
        gpu=needs("finetune", "gpu"),
    params:
        causal=STUDY.causal.model_dump_json(exclude={"models", "new_facts"}),
        new_facts=lambda w: "--new-facts" if w.model in STUDY.causal.new_facts else "",
        batch_rows=STUDY.measure.batch_rows,
        scorer=scorer_of,
        asking=asking_of,
        chat=chat_of,
        dtype=dtype_of,
        seed=STUDY.seed,
        code=code_of("finetune"),
        env=env_of("finetune"),
    shell:
        "HF_HUB_OFFLINE=1 paraspec finetune --model {wildcards.model} --results . "
        "--causal {params.causal:q} {params.new_facts} --batch-rows {params.batch_rows} "
        "--scorer {params.scorer} --asking {params.asking:q} {params.chat} "
        "--dtype {params.dtype} --seed {params.seed} > {log} 2>&1"
