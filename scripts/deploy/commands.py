"""Holds every command in the documents against what it calls: the program's subcommands and options, the services of the
compose files, the scripts. What needs a cluster is marked.

Usage: commands.py BINARY DOCUMENT...
"""

import pathlib
import re
import shlex
import subprocess
import sys

import yaml

binary, *documents = sys.argv[1:]
wrong, seen = [], {}
helps: dict[tuple, str] = {}


def help_of(words):
    """What the program says of a subcommand; empty for none."""
    if words not in helps:
        asked = subprocess.run([binary, *words, "--help"], capture_output=True, text=True)
        helps[words] = asked.stdout if asked.returncode == 0 else ""
    return helps[words]


def program(words):
    """Which subcommand, and which options it does not have."""
    names = []
    for word in words:
        if word.startswith("-") or not re.fullmatch(r"[a-z][a-z-]*", word) or not help_of((*names, word)):
            break
        names.append(word)
    text = help_of(tuple(names))
    if words and not names and not words[0].startswith("-"):
        return f"there is no quiz-stats {words[0]}"
    for word in words[len(names):]:
        option = word.split("=")[0]
        if re.fullmatch(r"--[a-z-]+", option) and not re.search(rf"{re.escape(option)}(?![a-z-])", text):
            return f"quiz-stats {' '.join(names)} has no {option}"
    return None


def compose(words):
    """Whether the files, profiles and services are there."""
    files = [words[at + 1] for at, word in enumerate(words[:-1]) if word == "-f"] or ["docker-compose.yml"]
    services, profiles = {}, set()
    for file in files:
        if not pathlib.Path(file).exists():
            return f"there is no {file}"
        services |= yaml.safe_load(open(file))["services"]
    for service in services.values():
        profiles.update(service.get("profiles", []))
    verbs = {"up", "down", "stop", "start", "restart", "exec", "logs", "ps", "run", "pull", "build", "config", "scale"}
    verb = next((at for at, word in enumerate(words) if word in verbs), None)
    if verb is None:
        return "has no verb that compose knows"
    for at, word in enumerate(words[:verb]):
        if word == "--profile" and words[at + 1] not in profiles:
            return f"there is no profile {words[at + 1]}"
    named = [word for word in words[verb + 1:] if not word.startswith("-")]
    # Of `exec` and `run`, what comes after the service is not ours.
    named = named[:1] if words[verb] in ("exec", "run") else named
    for name in named:
        if re.fullmatch(r"[a-z][a-z-]*", name) and name not in services:
            return f"{files[0]} has no service {name}"
    return None


def check(line, text):
    """What is wrong with a command; None for nothing, and for what is not ours."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        return None
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words.pop(0)
    if words[:1] == ["until"]:
        words.pop(0)
    if not words:
        return None
    # What a shell does with the rest is its own.
    end = next((at for at, word in enumerate(words) if word in ("|", "&&", ";", "<", ">", "||", "&")), len(words))
    name, words = pathlib.PurePath(words[0]).name, words[:end]
    seen[name] = seen.get(name, 0) + 1
    if name == "quiz-stats":
        return program(words[1:])
    if words[:2] == ["docker", "compose"]:
        return compose(words[2:])
    if words[0].startswith(("scripts/", "./")) and not pathlib.Path(words[0]).exists():
        return f"there is no {words[0]}"
    if name == "kubectl" and words[1] != "kustomize" and "†" not in text:
        return "needs a cluster, and the document does not say so (†)"
    return None


for document in documents:
    text = pathlib.Path(document).read_text()
    for language, block in re.findall(r"^```(sh|bash|console)\n(.*?)^```", text, re.M | re.S):
        for line in block.replace("\\\n", " ").splitlines():
            if language == "console":
                if not line.startswith("$ "):
                    continue
                line = line[2:]
            if problem := check(line.strip(), text):
                wrong.append(f"{document}: {line.strip()}: {problem}")
print("\n".join(wrong))
print(f"# {sum(seen.values())} commands: " + ", ".join(f"{count} {name}" for name, count in sorted(seen.items(), key=lambda one: -one[1])[:5]))
sys.exit(bool(wrong))
