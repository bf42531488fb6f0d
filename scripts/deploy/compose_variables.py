"""Every variable of the compose files is in .env.example and the other way round, and every setting they give exists."""

import pathlib
import re
import sys

import yaml

from settings import variables

DEVELOPMENT = {"OPENAI_API_KEY", "BACKEND_PORT"}
files = [pathlib.Path(name) for name in ("docker-compose.yml", "docker-compose.prod.yml")]
used = {name for file in files for name in re.findall(r"(?<!\$)\$\{([A-Z_]+)", file.read_text())} - DEVELOPMENT
named = set(re.findall(r"^#? ?([A-Z_]+)=", pathlib.Path(".env.example").read_text(), re.M))
wrong = [f"{name} is not in .env.example" for name in sorted(used - named)]
wrong += [f"{name} in .env.example is read by no compose file" for name in sorted(named - used)]

settings = variables(sys.argv[1])
for file in files:
    for name, service in yaml.safe_load(file.read_text())["services"].items():
        if name not in ("backend", "scraper"):
            continue
        for variable in service["environment"]:
            if variable.removesuffix("_FILE") not in settings:
                wrong.append(f"{file}: {name}: there is no setting for {variable}")
print("\n".join(wrong) or f"# {len(used)} variables, all settings exist")
sys.exit(bool(wrong))
