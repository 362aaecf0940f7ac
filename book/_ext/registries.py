"""The directive ``{registry}``: what DATASETS or ENCODERS hold, as a table, from the registries themselves."""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class RegistryTable(SphinxDirective):
    """A table of a registry, ``datasets`` or ``encoders``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        from taskrel_core import DATASETS, ENCODERS

        if self.arguments[0] == "datasets":
            lines = ["| name | what it is | licence |", "| --- | --- | --- |"]
            lines += [
                f"| `{name}` | {DATASETS[name].origin} | {DATASETS[name].licence} |" for name in DATASETS
            ]
        else:
            lines = ["| name | width | side | trained on | licence |", "| --- | --- | --- | --- | --- |"]
            lines += [
                f"| `{e.name}` | {e.dim} | {e.input_size} | {e.source_task} | {e.licence} |"
                for e in ENCODERS.values()
            ]
        return self.parse_text_to_nodes("\n".join(lines))


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("registry", RegistryTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
