"""The student's copy of a notebook: stubs for the solutions, and no output."""

import re
from copy import deepcopy

from nbformat.v4 import new_markdown_cell, writes

SAVE = """**Save a copy first.** On Colab: *File*, *Save a copy in Drive*. Elsewhere: copy the file. \
Write where `...  # your code` stands, then run the cell: it says *right*, or what is wrong. \
Where an answer is missing, the notebook goes on with ours. The \
[notebook with answers](../../notebooks/{name}.ipynb) shows all outputs."""
SOLUTION = re.compile(
    r"^( *)# BEGIN SOLUTION\n(.*?)^ *# END SOLUTION$", re.MULTILINE | re.DOTALL
)


def has_tag(cell, tag):
    return tag in cell.metadata.get("tags", [])


def stub(solution):
    """What stands in a solution's place. A value keeps its name, a function its first lines."""
    indent, lines = solution.groups()
    value = "" if indent else re.match(r"\w+ = ", lines)[0]
    return f"{indent}{value}...  # your code"


def student_edition(notebook, name):
    """The text of docs/student/NAME.ipynb, made of a notebook without outputs."""
    copy = deepcopy(notebook)
    copy.metadata.jupytext = {"formats": "ipynb"}  # it is half of no pair
    copy.cells = [cell for cell in copy.cells if not has_tag(cell, "solution")]
    for cell in copy.cells:
        tags = cell.metadata.get("tags")
        cell.metadata = {"tags": tags} if tags else {}
        cell.source = SOLUTION.sub(stub, cell.source)
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace(
                f"/notebooks/{name}.ipynb", f"/docs/student/{name}.ipynb"
            )
    copy.cells.insert(0, new_markdown_cell(SAVE.format(name=name), id="save-a-copy"))
    return writes(copy) + "\n"
