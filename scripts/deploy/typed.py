"""Holds the dashboards against Grafana's own types and Loki's configuration against its schema's, by TypeScript.

Its argument is the folder into which npm has put scripts/deploy/monitoring-npm.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

# JSON has the values of enumerations, not their names.
PLAIN = """
type Plain<T> = T extends string ? (string extends T ? string : `${T}`)
  : T extends number | boolean | null | undefined ? T
  : T extends (infer U)[] ? Plain<U>[]
  : { [K in keyof T]: Plain<T[K]> };
type Query = { refId: string; expr: string; legendFormat: string; datasource: { type: "prometheus"; uid: "prometheus" } };
"""
PANEL_TYPES = {"timeseries": "timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen"}


def dashboard(file):
    """A board's file; the options of its panels, which its own type leaves open, by the types of each kind of panel."""
    board = json.loads(file.read_text())
    kinds = {panel["type"] for panel in board["panels"]}
    lines = ["import type { Dashboard } from '@grafana/schema';"]
    for kind in sorted(kinds):
        if kind not in PANEL_TYPES:
            sys.exit(f"{file}: no type is known of panels of the kind {kind}")
        lines.append(f"import type * as {kind} from '@grafana/schema/dist/esm/raw/composable/{PANEL_TYPES[kind]}';")
    lines += [PLAIN, f"export const board: Plain<Dashboard> = {json.dumps(board, indent=1)};"]
    for panel in board["panels"]:
        kind = panel["type"]
        lines.append(f"export const queries{panel['id']}: Query[] = {json.dumps(panel['targets'])};")
        lines.append(f"export const options{panel['id']}: Plain<{kind}.Options> = {json.dumps(panel['options'])};")
        lines.append(f"export const custom{panel['id']}: Plain<{kind}.FieldConfig> = {json.dumps(panel['fieldConfig']['defaults']['custom'])};")
    return "\n".join(lines)


def loki(modules):
    """Loki's file and its type, which must not allow every other key."""
    types = (modules / "@schemastore/loki/index.d.ts").read_text()
    closed = re.sub(r"^ *\[k: string\]: unknown \| undefined;$|^ *\[k: string\]: unknown;$", "", types, flags=re.MULTILINE)
    config = yaml.safe_load(pathlib.Path("monitoring/loki-config.yml").read_text())
    return closed + f"\nexport const config: Loki = {json.dumps(config, indent=1)};\n"


def main():
    modules = pathlib.Path(sys.argv[1], "node_modules").resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "node_modules").symlink_to(modules)
        boards = sorted(pathlib.Path("monitoring/grafana/dashboards").glob("*.json"))
        for file in boards:
            (folder / f"{file.stem}.ts").write_text(dashboard(file))
        (folder / "loki-config.ts").write_text(loki(modules))
        files = sorted(file.name for file in folder.glob("*.ts"))
        compiler = ["node", modules / "typescript/bin/tsc", "--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2022"]
        code = subprocess.run(compiler + files, cwd=folder).returncode
        if code:
            sys.exit(code)
        print(f"# {len(boards)} dashboards and Loki's configuration have their types")


main()
