import { expect, it } from "vitest";
import { parseYaml } from "./yaml.ts";

const read = (text: string) => {
  const node = parseYaml(text, { file: "a.yaml", firstLine: 1, dialect: "go-yaml-3", report: () => undefined });
  const of = (entry: string): unknown => {
    const value = node?.kind === "map" ? node.entries.get(entry)?.value : undefined;
    return value?.kind === "scalar" ? value.text : value;
  };
  return [of("value"), of("next")];
};

/** Right-hand sides are what Go's parser (go-yaml 3) reads. */
it.each([
  [`value: '{\n\t"/a": "/b",\n\t"/c": "it''s"\n}'\nnext: 1`, `{ "/a": "/b", "/c": "it's" }`],
  [`value: "one\ntwo \\"\\\n  three\n\nfour"\nnext: 1`, 'one two "three\nfour'],
  [`value: 'a\n\n\n  b'\nnext: 1`, "a\n\nb"],
])("%j", (text, value) => {
  expect(read(text)).toEqual([value, "1"]);
});

it("several of them, and a list around them", () => {
  const text = '- name: a\n  value: \'{\n\t"x": 1\n }\'\n- name: b\n  value: "\ny"\n';
  const node = parseYaml(text, { file: "a.yaml", firstLine: 1, dialect: "go-yaml-3", report: () => undefined });
  const values =
    node?.kind === "list"
      ? node.items.map((item) => (item.kind === "map" ? item.entries.get("value")?.value : undefined))
      : [];
  expect(values).toMatchObject([{ text: '{ "x": 1 }' }, { text: " y" }]);
});

it("a quote that is never closed is an error", () => {
  expect(() => read("value: 'a\nb\nnext: 1")).toThrow("Missing closing 'quote");
});
