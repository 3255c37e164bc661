# Jobs that take seconds and fail in known ways, through the study's own profile. Every
# attempt leaves a line in its log, so that tests can count them. `victim`, `forgetful`
# and `slow` do well only in a later attempt or when left alone.
NAMES = [f"n{number}" for number in range(int(config.get("steady", 3)))]
FAULTY = [name for name in config.get("faulty", "").split(",") if name]


rule all:
    input:
        "all.txt",
    localrule: True


rule steady:
    output:
        "steady/{name}.txt",
    resources:
        mem_mb=500,
        runtime=5,
    params:
        seconds=config.get("seconds", 0),
    shell:
        "echo {wildcards.name} >> attempts.txt; sleep {params.seconds}; "
        "echo {wildcards.name} > {output}"


rule victim:
    output:
        "victim.txt",
    resources:
        mem_mb=500,
        runtime=5,
        attempt=lambda wildcards, attempt: attempt,
    shell:
        "echo victim >> attempts.txt; echo half > {output}; "
        "[ {resources.attempt} -gt 1 ] || sleep 300; echo victim > {output}"


rule forgetful:
    output:
        "forgetful.txt",
    resources:
        mem_mb=lambda wildcards, attempt: 600 * attempt,
        runtime=5,
    shell:
        "echo forgetful {resources.mem_mb} >> attempts.txt; "
        "python -c 'held = bytearray(700 << 20); import time; time.sleep(6)'; "
        "echo forgetful > {output}"


rule slow:
    output:
        "slow.txt",
    resources:
        mem_mb=500,
        runtime=lambda wildcards, attempt: attempt,
        attempt=lambda wildcards, attempt: attempt,
    shell:
        "echo slow {resources.runtime} >> attempts.txt; echo half > {output}; "
        "[ {resources.attempt} -gt 1 ] || sleep 300; echo slow > {output}"


# Named as the study's rule is, so that what a site sets for that acts here.
rule score:
    output:
        "score.txt",
    resources:
        mem_mb=500,
        runtime=5,
        gpu=1,
    shell:
        "echo score >> attempts.txt; "
        "squeue -h -j $SLURM_JOB_ID -o '%P %b %m %l' > {output}; "
        "echo GPU $CUDA_VISIBLE_DEVICES >> {output}"


rule gather:
    input:
        expand("steady/{name}.txt", name=NAMES),
        expand("{name}.txt", name=FAULTY),
    output:
        "all.txt",
    resources:
        mem_mb=500,
        runtime=5,
    shell:
        "echo gather >> attempts.txt; cat {input} > {output}"
