"""Every variable of the compose files is in .env.example and the other way round, and every setting they give exists."""

import pathlib
import re
import subprocess
import sys
import tomllib

import yaml

DEVELOPMENT = {"OPENAI_API_KEY", "BACKEND_PORT"}
files = [pathlib.Path(name) for name in ("docker-compose.yml", "docker-compose.prod.yml")]
used = {name for file in files for name in re.findall(r"(?<!\$)\$\{([A-Z_]+)", file.read_text())} - DEVELOPMENT
named = set(re.findall(r"^#? ?([A-Z_]+)=", pathlib.Path(".env.example").read_text(), re.M))
wrong = [f"{name} is not in .env.example" for name in sorted(used - named)]
wrong += [f"{name} in .env.example is read by no compose file" for name in sorted(named - used)]

default = subprocess.run([sys.argv[1], "config", "--default"], capture_output=True, text=True, check=True).stdout
# What is not set by default stands as a comment.
settings = set()
section = ""
for line in default.splitlines():
    if head := re.match(r"\[(\w+)\]", line):
        section = head[1]
    elif key := re.match(r"(?:# )?(\w+) = ", line):
        settings.add(f"{section}.{key[1]}")
aliases = set(re.findall(r"\b[A-Z][A-Z_]+\b", default.split("\n[server]")[0])) - {"FILE"}
for file in files:
    for name, service in yaml.safe_load(file.read_text())["services"].items():
        if name not in ("backend", "scraper"):
            continue
        for variable in service["environment"]:
            base = variable.removesuffix("_FILE")
            key = base.removeprefix("QUIZ_STATS__").lower().replace("__", ".")
            if base not in aliases and (key not in settings or not base.startswith("QUIZ_STATS__")):
                wrong.append(f"{file}: {name}: there is no setting for {variable}")
tomllib.loads(default)
print("\n".join(wrong) or f"# {len(used)} variables, all settings exist")
sys.exit(bool(wrong))
