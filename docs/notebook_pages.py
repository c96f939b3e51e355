"""A Sphinx extension: the notebooks as pages, with what they need on a site.

Each gets a line of links under its title, an alternative text for every picture, and links from
the first uses of the glossary's terms. The files in `notebooks/` stay as they are, and so do the
copies that a reader downloads: only what Sphinx reads is changed.
"""

import ast
import json
import re
import shutil
from importlib.util import find_spec
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
FOLDERS = ("draw", "student", "classroom/decks")  # copied over as they are, where they are there
BADGE = re.compile(r"\[!\[Open In Colab\]\([^)]*\)\]\((?P<colab>[^)]*)\)")
CHINESE = re.compile(r"[\u4e00-\u9fff]+")
NEEDS = re.compile(r"^(.*) <!-- needs: (\S+) -->\n", re.MULTILINE)


def copy_in(app):
    """Bring notebooks and MathJax to where Sphinx and the pages look for them."""
    pages = DOCS / "notebooks"
    shutil.rmtree(pages, ignore_errors=True)
    pages.mkdir()
    for notebook in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"):
        shutil.copy2(notebook, pages)
    static = Path(app.outdir) / "_static"
    static.mkdir(parents=True, exist_ok=True)
    for picture in ("training.gif", "timeline.png"):
        shutil.copy2(ROOT / "images" / picture, static)
    # Of the package's 24 MB: the one file that sets formulas, and its fonts.
    package = Path(find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"
    target, fonts = static / "mathjax", "output/chtml/fonts/woff-v2"
    shutil.copytree(package / fonts, target / fonts, dirs_exist_ok=True)
    shutil.copy2(package / "tex-mml-chtml.js", target)


def copy_over(app, error):
    """Copy what is no Sphinx page into the finished site."""
    for name in FOLDERS:
        if (DOCS / name).is_dir() and not error:
            shutil.copytree(DOCS / name, Path(app.outdir) / name, dirs_exist_ok=True)


def change_source(app, docname, content):
    """Change what Sphinx reads of a page."""
    if docname == "index":
        content[0] = NEEDS.sub(lambda m: (m[1] + "\n") * (DOCS / m[2]).exists(), content[0])
    if docname == "glossary":  # browsers then take the right glyphs, and screen readers the voice
        content[0] = CHINESE.sub(r'<span lang="zh-Hant">\g<0></span>', content[0])
    if docname.startswith("notebooks/"):
        notebook = json.loads(content[0])
        add_page_parts(notebook, Path(docname).name)
        content[0] = json.dumps(notebook)


def add_page_parts(notebook, name):
    """The line of links instead of Colab's badge, and the alternative text of every picture."""
    section = ""
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            cell["source"] = BADGE.sub(lambda m: links(m["colab"], name), source)
            section = [section, *re.findall(r"^#+ (.+)$", source, re.MULTILINE)][-1]
            continue
        if "setup" in cell["metadata"].get("tags", []):
            cell["metadata"]["tags"].append("hide-input")
        if any("image/png" in output.get("data", {}) for output in cell.get("outputs", [])):
            alt = cell["metadata"].get("alt") or alternative_text(source, section)
            cell["metadata"]["mystnb"] = {"image": {"alt": alt}}


def links(colab, name):
    """What one can do with a notebook, as Markdown."""
    file = f"{name}.ipynb"
    copy = f"../_sources/notebooks/{file}"
    ways = [f"[Open in Colab]({colab})", f'<a href="{copy}" download>Download</a>']
    if (DOCS / "student" / file).exists():
        student = colab.replace("/notebooks/", "/docs/student/")
        ways.append(f"[Do the exercises in Colab]({student})")
    return " · ".join(ways)


def alternative_text(source, section):
    """What a figure is called in the code that draws it, or else the section it stands in."""
    names = []
    code = re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.MULTILINE)  # magics are no Python
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda call: call.lineno):
        called = getattr(call.func, "attr", getattr(call.func, "id", ""))
        titles = [named.value for named in call.keywords if named.arg in ("title", "suptitle")]
        if called in ("suptitle", "set_title") or called.startswith("show_"):
            titles += call.args
        names += filter(None, map(text_of, titles))
    section = re.sub(r"[`$*\\]", "", section)
    title = "; ".join(dict.fromkeys(re.sub(r"[$\\{}]", "", name) for name in names))
    return f"{title} (figure in “{section}”)" if title else f"Figure in “{section}”"


def text_of(node):
    """A string in code, with … where a value is put in; None if it is no string."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return " ".join(node.value.split())
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else "…" for part in node.values]
        return " ".join("".join(parts).split())
    return None


def glossary_terms():
    """The terms that docs/glossary.md explains."""
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    block = re.search(r"^```{glossary}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)[1]
    return re.findall(r"^(\S.*)$", block, re.MULTILINE)


def link_terms(app, doctree):
    """Link each term's first use in the prose of a notebook to the glossary."""
    from docutils import nodes  # here, because the rest can be tested without Sphinx
    from sphinx import addnodes

    if not app.env.current_document.docname.startswith("notebooks/"):
        return
    # The longest first, because "mode collapse" is not about a mode.
    terms = sorted(glossary_terms(), key=len, reverse=True)
    left = {term.lower(): term for term in terms}
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, left))})(?:e?s)?\b", re.IGNORECASE)
    for text in list(doctree.findall(nodes.Text)):
        if not isinstance(text.parent, nodes.paragraph):
            continue  # in a link, a title, a formula, code
        pieces, end = [], 0
        for match in pattern.finditer(text):
            term = left.pop(match[1].lower(), None)
            if term:
                reference = addnodes.pending_xref(
                    "", nodes.inline("", match[0]), refdomain="std", reftype="term",
                    reftarget=term, refexplicit=True, refwarn=True,
                )  # fmt: skip
                pieces += [nodes.Text(text[end : match.start()]), reference]
                end = match.end()
        if pieces:
            text.parent.replace(text, [*pieces, nodes.Text(text[end:])])


def setup(app):
    app.connect("builder-inited", copy_in)
    app.connect("source-read", change_source)
    app.connect("doctree-read", link_terms)
    app.connect("build-finished", copy_over)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
