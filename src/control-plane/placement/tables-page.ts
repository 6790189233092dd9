import type { Host } from "../../wire/gen/dapr/proto/placement/v1/placement_pb.js";
import type { NamespaceState } from "./types.ts";

/** `GET /placement/state` as Go's encoding/json writes `StatePlacementTables`: fields without a value are left out. */
export function tablesPage(namespaces: ReadonlyMap<string, NamespaceState>): string {
  if (namespaces.size === 0) {
    return "{}";
  }
  const sorted = [...namespaces].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify({ tables: Object.fromEntries(sorted.map(([name, state]) => [name, tableOf(state)])) });
}

function tableOf({ hosts, version }: NamespaceState): object {
  return {
    ...(hosts.length > 0 && { hosts: hosts.map(hostOf) }),
    ...(version > 0 && { version }),
  };
}

function hostOf(host: Host): object {
  const fields: readonly (readonly [string, string | number | readonly string[]])[] = [
    ["name", host.name],
    ["port", Number(host.port)],
    ["load", Number(host.load)],
    ["entities", host.entities],
    ["id", host.id],
    ["pod", host.pod],
    ["api_level", host.apiLevel],
    ["namespace", host.namespace],
    ["operation", host.operation],
  ];
  const filled = fields.filter(([, value]) => (typeof value === "number" ? value !== 0 : value.length > 0));
  return Object.fromEntries(host.version === undefined ? filled : [...filled, ["version", Number(host.version)]]);
}
