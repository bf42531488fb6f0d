import assert from "node:assert/strict";
import { test } from "node:test";
import { boundsOf, kindOf, nameOf } from "../../assets/js/docs.js";

test("types are told in a few words", () => {
  assert.equal(nameOf("#/components/schemas/Report"), "Report");
  assert.equal(kindOf({ type: ["string", "null"] }), "string | null");
  assert.equal(kindOf({ type: "array", items: { $ref: "#/a/Problem" } }), "list of Problem");
  assert.equal(kindOf({ anyOf: [{ $ref: "#/a/Position" }, { type: "null" }] }), "Position | null");
  assert.equal(kindOf({ enum: ["a", "b"] }), '"a" | "b"');
  assert.equal(kindOf({ const: "pong" }), '"pong"');
  assert.equal(kindOf(true), "anything");
});

test("bounds are told in words", () => {
  assert.equal(boundsOf({ minItems: 1, maxItems: 200 }), "1 to 200 entries");
  assert.equal(boundsOf({ maxLength: 5, minimum: 0 }), "at most 5 characters, at least 0");
  assert.equal(boundsOf({}), "");
});
