// The descriptions of the API, made readable. Everything is set as text.

const METHODS = ["get", "post", "delete"];

function element(name, text, children = []) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

/** Returns the last part of a reference: the schema's name. */
export function nameOf(reference) {
  return reference.split("/").at(-1);
}

/** Returns a schema's type in a few words; `link` makes a reference of a name. */
export function kindOf(schema) {
  if (schema === true || schema === undefined) return "anything";
  if (schema.$ref) return nameOf(schema.$ref);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const several = schema.anyOf ?? schema.oneOf;
  if (several && !schema.properties) return several.map(kindOf).join(" | ");
  const types = [schema.type ?? "anything"].flat();
  return types.map((type) => (type === "array" ? `list of ${kindOf(schema.items)}` : type)).join(" | ");
}

/** Returns a schema's bounds in words. */
export function boundsOf(schema) {
  const words = [];
  const bound = (least, most, unit) => {
    const [from, to] = [schema[least], schema[most]];
    if (from !== undefined && to !== undefined) words.push(`${from} to ${to}${unit}`);
    else if (from !== undefined) words.push(`at least ${from}${unit}`);
    else if (to !== undefined) words.push(`at most ${to}${unit}`);
  };
  bound("minLength", "maxLength", " characters");
  bound("minItems", "maxItems", " entries");
  bound("minimum", "maximum", "");
  return words.join(", ");
}

function fields(schema) {
  const required = new Set(schema.required ?? []);
  const rows = Object.entries(schema.properties ?? {}).map(([name, field]) =>
    element("tr", "", [
      element("th", "", [element("code", name)]),
      element("td", kindOf(field) + (required.has(name) ? "" : " (may be missing)")),
      element("td", [field.description, boundsOf(field)].filter(Boolean).join(" · ")),
    ]),
  );
  return rows.length ? [element("table", "", [element("tbody", "", rows)])] : [];
}

function bodies(content = {}) {
  return Object.entries(content).map(([media, { schema }]) => {
    const line = element("p", `${media}: `);
    const name = schema?.$ref && nameOf(schema.$ref);
    if (name) {
      const link = element("a", name);
      link.href = `#${name}`;
      line.append(link);
    } else {
      line.append(kindOf(schema));
    }
    return line;
  });
}

function operation(path, method, described) {
  const parameters = described.parameters.map((parameter) =>
    element("tr", "", [
      element("th", "", [element("code", parameter.name)]),
      element("td", `${parameter.in}, ${kindOf(parameter.schema)}`),
      element("td", parameter.description),
    ]),
  );
  const answers = Object.entries(described.responses).map(([status, answer]) =>
    element("tr", "", [element("th", status), element("td", answer.description), element("td", "", bodies(answer.content))]),
  );
  const parts = [element("h3", `${method.toUpperCase()} ${path}`), element("p", described.summary)];
  if (parameters.length) parts.push(element("h4", "Parameters"), element("table", "", [element("tbody", "", parameters)]));
  if (described.requestBody) parts.push(element("h4", "Takes"), ...bodies(described.requestBody.content));
  parts.push(element("h4", "Answers"), element("table", "", [element("tbody", "", answers)]));
  const section = element("section", "", parts);
  section.id = described.operationId;
  return section;
}

function named(name, schema) {
  const section = element("section", "", [element("h3", name), element("p", schema.description ?? ""), ...fields(schema)]);
  if (!schema.properties) section.append(element("p", kindOf(schema)));
  section.id = name;
  return section;
}

async function load(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

async function show() {
  const state = document.getElementById("state");
  const place = document.getElementById("api");
  const openapi = await load("/openapi.json");
  place.append(element("h2", "HTTP"));
  for (const [path, methods] of Object.entries(openapi.paths)) {
    for (const method of METHODS) if (methods[method]) place.append(operation(path, method, methods[method]));
  }
  // A process that only reads pages has no WebSocket to describe.
  if (openapi.paths["/ws"]) {
    const asyncapi = await load("/asyncapi.json");
    place.append(element("h2", "WebSocket"));
    const viewers = asyncapi.channels.viewers.messages;
    for (const [words, { messages }] of [
      ["The server says", asyncapi.operations.tell],
      ["Viewers may say", asyncapi.operations.hear],
    ]) {
      place.append(element("p", `${words}: ${messages.map(({ $ref }) => nameOf($ref)).join(", ")}.`));
      for (const { $ref } of messages) place.append(named(`message ${nameOf($ref)}`, viewers[nameOf($ref)].payload));
    }
  }
  place.append(element("h2", "Objects"));
  for (const [name, schema] of Object.entries(openapi.components.schemas)) place.append(named(name, schema));
  state.textContent = `Version ${openapi.info.version}`;
  document.documentElement.dataset.ready = "true";
}

if (typeof document !== "undefined") {
  show().catch((error) => {
    document.getElementById("state").textContent = `The description cannot be shown: ${error.message}. Load the page again.`;
  });
}
