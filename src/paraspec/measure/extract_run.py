"""Extracting one model's activations, from files to a file."""

from paraspec.core.config import Asking
from paraspec.core.layout import StudyFiles
from paraspec.core.progress import progress
from paraspec.core.table import read_table
from paraspec.core.tables.planned import CONCEPTS, PROMPTS, SETS
from paraspec.measure.activation_files import save_activations
from paraspec.measure.extract import extract, membership
from paraspec.measure.prepare import added_concepts, prepare
from paraspec.models.load import LoadedModel


def run_extract(
    loaded: LoadedModel, model: str, files: StudyFiles, batch_rows: int, asking: Asking
) -> None:
    """Write ``activations.safetensors`` of one model of a study."""
    sets = read_table(files.data("sets.parquet"), SETS)
    table = read_table(files.data("prompts.parquet"), PROMPTS)
    prompts = prepare(loaded, table, asking)
    concepts = read_table(files.data("concepts.parquet"), CONCEPTS)
    members = membership(sets, added_concepts(concepts))
    asked = [prompts[item] for item in members.lines_of]
    with progress(f"extracting {model}", len(asked)) as advance:
        found = extract(loaded, asked, members, batch_rows, advance)
    path = files.measure(model, "activations.safetensors")
    save_activations(found, path, loaded.model.dtype)
