# The study, from concept file to report. Rules stand in workflow/rules, one file per
# room of the package; every rule calls one `paraspec` command, which also works by hand.
from snakemake.utils import min_version

min_version("9.27")


# The default study. Not a base of others: keys that they leave out have the defaults
# of config/README.md, not the miniature's values.
if not workflow.config_settings.configfiles:

    configfile: "config/miniature.yaml"


include: "workflow/rules/common.smk"


workdir: study_folder()


wildcard_constraints:
    model="|".join(map(re.escape, MEASURED)),


include: "workflow/rules/data.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/measure.smk"
include: "workflow/rules/causal.smk"
include: "workflow/rules/stats.smk"
include: "workflow/rules/report.smk"


refuse_faulty()


onstart:
    lock_models()
    mend_clocks()
    keep_parts()


onsuccess:
    record_files()


onerror:
    record_files()


rule all:
    default_target: True
    input:
        "report.html",
        "tables/verify.csv",
