import { jsonToGoText } from "./json-value.ts";
import type { NameValuePair } from "./resource.ts";
import { json, list, struct, text } from "./shape.ts";
import type { Shape } from "./shape.ts";

const pair = struct({
  name: text,
  value: json,
  secretKeyRef: struct({ name: text, key: text }),
  envRef: text,
});

const pairs = list(pair);

/** A list of `{name, value | secretKeyRef | envRef}`. */
export const nameValuePairs: Shape<readonly NameValuePair[]> = (node, reading, path) =>
  pairs(node, reading, path).map(toPair);

function toPair(written: ReturnType<typeof pair>): NameValuePair {
  const { value, secretKeyRef } = written;
  const secretName = secretKeyRef?.name ?? "";
  return {
    name: written.name ?? "",
    value: value === undefined ? undefined : typeof value === "string" ? value : jsonToGoText(value),
    secretKeyRef: secretName === "" ? undefined : { name: secretName, key: secretKeyRef?.key || secretName },
    envRef: written.envRef ?? "",
  };
}
