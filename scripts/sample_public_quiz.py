#!/usr/bin/env python3
"""Draws the public question sets on which docs/local-model.md measures the local model.

Usage: sample_public_quiz.py GENMC_CLONE OPENTRIVIAQA_CLONE OUT_DIR

GENMC_CLONE is a clone of nju-websoft/GenMC (it holds the official ARC splits, CC BY-SA 4.0), OPENTRIVIAQA_CLONE one of
uberspot/OpenTriviaQA (CC BY-SA 4.0). Both may be bare. Writes `<set>-<split>.json` files that quiz-stats reads.

The draw needs no random generator: questions are ordered by the SHA-256 of a seed and their text, and the first N taken.
The options are put into an order drawn the same way, so that no place is right more often than the others.
"""
import hashlib
import json
import pathlib
import subprocess
import sys

SEED = "quiz-stats 2026-11-23"
TRIVIA = ["general", "geography", "history", "literature", "science-technology", "world"]
# Set, split -> how many. `dev` is for choosing a method, `test` for the figures, `large` for tighter ones.
# `test` is the head of `large`; no question is in `dev` and in the others.
WANTED = {"arc-easy": (250, 100, 600), "arc-challenge": (150, 50, 300), "trivia": (300, 150, 900)}


def show(clone, path):
    git_dir = clone if (pathlib.Path(clone) / "HEAD").exists() else f"{clone}/.git"
    raw = subprocess.run(["git", f"--git-dir={git_dir}", "show", f"HEAD:{path}"], check=True, capture_output=True).stdout
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def rank(*parts):
    return hashlib.sha256("\n".join([SEED, *parts]).encode()).hexdigest()


def arc(clone, folder, split):
    for line in show(clone, f"data/{folder}/official/{split}.jsonl").splitlines():
        row = json.loads(line)
        choices = row["question"]["choices"]
        right = next(c["text"] for c in choices if c["label"] == row["answerKey"])
        yield row["question"]["stem"], right, [c["text"] for c in choices]


def trivia(clone):
    for category in TRIVIA:
        for block in show(clone, f"categories/{category}").replace("\r", "").split("#Q ")[1:]:
            question, _, rest = block.partition("\n^ ")
            lines = rest.splitlines()
            if not lines:
                continue
            options = [line[2:].strip() for line in lines[1:] if line[1:2] == " " and line[:1].isupper()]
            right, question = lines[0].strip(), " ".join(question.split())
            if len(options) == 4 and options.count(right) == 1 and len(set(options)) == 4 and 10 < len(question) < 300:
                yield question, right, options


def draw(rows, count, skip=()):
    unique = {question: (question, right, options) for question, right, options in rows if question not in skip}
    return [unique[q] for q in sorted(unique, key=rank)[:count]]


def clean(text):
    """Leaves out control characters, which quiz-stats refuses; a few ARC questions hold one."""
    return "".join(character for character in text if character.isprintable())


def write(path, rows):
    questions = []
    for question, right, options in rows:
        options = sorted(options, key=lambda option: rank(question, option))
        questions.append({"question": clean(question), "answers": [clean(option) for option in options], "correct": [options.index(right) + 1]})
    path.write_text(json.dumps({"questions": questions}, ensure_ascii=False, indent=1) + "\n")
    print(f"{path}: {len(questions)} questions")


def main():
    genmc, otqa, out = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    for name, (n_dev, n_test, n_large) in WANTED.items():
        if name == "trivia":
            pool = draw(trivia(otqa), n_dev + n_large)
            dev, large = pool[n_large:], pool[:n_large]
        else:
            folder = name.replace("-", "_")
            dev, large = draw(arc(genmc, folder, "dev"), n_dev), draw(arc(genmc, folder, "test"), n_large)
        write(out / f"{name}-dev.json", dev)
        write(out / f"{name}-test.json", large[:n_test])
        write(out / f"{name}-large.json", large)


main()
