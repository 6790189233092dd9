import { JsonScanner } from "./json-scanner.ts";

/** The members of a JSON object by name, each value as its own JSON text, so that numbers and escapes pass unchanged. */
export type JsonMembers = Map<string, string>;

/**
 * Reads the members of the object in `json`; of a name that comes twice the last wins. Undefined: the text holds another
 * kind of value.
 * @throws JsonSyntaxError for text that is no JSON
 */
export function readJsonMembers(json: Uint8Array): JsonMembers | undefined {
  const members: JsonMembers = new Map();
  const scanner = new JsonScanner(json);
  if (scanner.kind() !== "object") {
    scanner.skip();
    return undefined;
  }
  for (let more = scanner.openObject(); more; more = scanner.nextMember()) {
    const name = scanner.memberName();
    members.set(name, textOf(scanner.sliceValue()));
  }
  return members;
}

/** The object of these members, sorted by name, as Go's encoder sorts a map. */
export function writeJsonMembers(members: JsonMembers): Buffer {
  const parts: string[] = [];
  for (const name of [...members.keys()].sort()) {
    parts.push(`${JSON.stringify(name)}:${members.get(name)}`);
  }
  return Buffer.from(`{${parts.join(",")}}`);
}

/** The string that a member holds; undefined when it is absent or something else. */
export function stringMember(members: JsonMembers, name: string): string | undefined {
  const json = members.get(name);
  const value: unknown = json === undefined ? undefined : JSON.parse(json);
  return typeof value === "string" ? value : undefined;
}

function textOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString();
}
