# Jobs that take seconds and fail in known ways, through the study's own profile. Every
# attempt leaves a line in attempts.txt, so that tests can count them. `victim`,
# `forgetful` and `slow` do well only in a later attempt; `steady` ends once the file
# `go` is there.
import sys

FAULTY = config.get("faulty", "").split(",")


rule all:
    input:
        "all.txt",
    localrule: True


rule steady:
    output:
        "steady.txt",
    resources:
        mem_mb=500,
        runtime=5,
    shell:
        "echo steady >> attempts.txt; until [ -e go ]; do sleep 1; done; "
        "echo steady > {output}"


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
    params:
        python=sys.executable,
    shell:
        "echo forgetful {resources.mem_mb} >> attempts.txt; "
        "{params.python} -c 'held = bytearray(700 << 20); import time; time.sleep(6)'; "
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
    params:
        asked="Partition:30,tres-per-job:30,MinMemory:30,TimeLimit:30",
    shell:
        "echo score >> attempts.txt; "
        "squeue -h -j $SLURM_JOB_ID -O '{params.asked}' > {output}; "
        "echo GPU $CUDA_VISIBLE_DEVICES >> {output}"


rule gather:
    input:
        "steady.txt",
        expand("{name}.txt", name=FAULTY),
    output:
        "all.txt",
    resources:
        mem_mb=500,
        runtime=5,
    shell:
        "echo gather >> attempts.txt; cat {input} > {output}"
