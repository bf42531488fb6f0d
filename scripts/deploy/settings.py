"""The variables that a quiz-stats reads, as its own documented defaults name them."""

import re
import subprocess


def variables(binary):
    """Returns `QUIZ_STATS__SECTION__KEY` of every setting, and the well-known names."""
    default = subprocess.run([binary, "config", "--default"], capture_output=True, text=True, check=True).stdout
    names, section = set(), ""
    for line in default.splitlines():
        if head := re.match(r"\[(\w+)\]", line):
            section = head[1]
        # What is not set by default stands as a comment.
        elif key := re.match(r"(?:# )?(\w+) = ", line):
            names.add(f"QUIZ_STATS__{section}__{key[1]}".upper())
    return names | set(re.findall(r"\b[A-Z][A-Z_]+\b", default.split("\n[server]")[0]))
