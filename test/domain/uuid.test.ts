import assert from "node:assert/strict";
import { test } from "node:test";
import { isUuid, uuidV5In } from "../../src/domain/uuid.ts";

const dns = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";

const vectors: readonly (readonly [namespace: string, name: string, uuid: string, source: string])[] = [
  [dns, "www.example.com", "2ed6657d-e927-568b-95e1-2665a8aea6a2", "RFC 9562, appendix A.4"],
  [dns, "python.org", "886313e1-3b8a-5372-9b90-0c9aee199e5d", "Python's uuid documentation"],
  [dns.toUpperCase(), "python.org", "886313e1-3b8a-5372-9b90-0c9aee199e5d", "namespace in upper case"],
];
for (const [namespace, name, uuid, source] of vectors) {
  test(`version 5 of ${name} (${source})`, () => assert.equal(uuidV5In(namespace)(name), uuid));
}

test("each version 5 UUID has its version and one of the four variant digits", () => {
  const variants = new Set<string>();
  for (let name = 0; name < 200; name++) {
    const uuid = uuidV5In(dns)(`é${name}`);
    assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    variants.add(uuid.charAt(19));
  }
  assert.equal(variants.size, 4);
});

const shapes: readonly (readonly [text: string, isOne: boolean])[] = [
  ["5b0a9a3c-7f0e-4d7c-9a55-0c2d4c3f7e11", true],
  ["5B0A9A3C-7F0E-4D7C-9A55-0C2D4C3F7E11", true],
  ["104d7361-7361-104d-6173-4d1061734d10", true],
  ["", false],
  ["5b0a9a3c7f0e4d7c9a550c2d4c3f7e11", false],
  ["{5b0a9a3c-7f0e-4d7c-9a55-0c2d4c3f7e11}", false],
  ["5b0a9a3c-7f0e-4d7c-9a55-0c2d4c3f7e1", false],
  ["5b0a9a3c-7f0e-4d7c-9a55-0c2d4c3f7e11\n", false],
  ["gb0a9a3c-7f0e-4d7c-9a55-0c2d4c3f7e11", false],
];
for (const [text, isOne] of shapes) {
  test(`${JSON.stringify(text)} is ${isOne ? "a" : "no"} UUID`, () => assert.equal(isUuid(text), isOne));
}
