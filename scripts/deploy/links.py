"""Follows every link and every path of ours in the documents; addresses of others are not asked."""

import pathlib
import re
import sys

documents = [pathlib.Path("README.md"), pathlib.Path("ARCHITECTURE.md"), pathlib.Path("CONTRIBUTING.md"), *sorted(pathlib.Path("docs").rglob("*.md")), *pathlib.Path("fuzz").glob("*.md")]
OURS = re.compile(r"(?<![\w/.-])((?:scripts|k8s|monitoring|nginx|config|docs|examples|\.github)/[\w./-]*[\w-]|docker-compose[\w.]*\.yml|(?:scraper\.)?Dockerfile)(?![\w/*{<])")
MADE_BY_HAND = {"config/default.toml"}


def anchors(document):
    """The anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


wrong, count = [], 0
for document in documents:
    text = document.read_text()
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        count += 1
        path, _, anchor = target.partition("#")
        file = document.parent / path if path else document
        if not file.exists():
            wrong.append(f"{document}: {target} is not there")
        elif anchor and file.suffix == ".md" and anchor not in anchors(file):
            wrong.append(f"{document}: {file} has no heading {anchor}")
    for path in set(OURS.findall(text)):
        count += 1
        if not pathlib.Path(path).exists():
            wrong.append(f"{document}: {path} is not there")
print("\n".join(wrong) or f"# {count} links and paths in {len(documents)} documents")
sys.exit(bool(wrong))
