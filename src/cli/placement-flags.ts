import type { ClusterMember } from "../control-plane/placement/members.ts";
import type { PlacementOptions } from "../control-plane/placement/start-placement.ts";
import { formatGoDuration } from "../kit/duration.ts";
import type { FlagDefinition, ParsedFlags } from "./flag-set.ts";
import { isTruthy } from "./go-values.ts";
import { portOf, ROLE_FLAGS, roleFlag, RoleOptionsError, roleTls, TLS_FLAGS } from "./role-flags.ts";
import type { Environment } from "./environment.ts";

const DEPRECATED = { hidden: true, deprecated: "this flag will be removed in future releases" } as const;

/** Every flag of placement 1.18.3 (cmd/placement/options/options.go). */
export const PLACEMENT_FLAGS = [
  ...ROLE_FLAGS,
  ...TLS_FLAGS,
  roleFlag(
    "duration",
    "disseminate-coalesce-window",
    "0s",
    "After a round, how long changes are collected for the next one; 0 for not at all",
  ),
  roleFlag(
    "duration",
    "disseminate-timeout",
    "8s",
    "Age of a round at which sidecars that have not answered are cut off",
  ),
  roleFlag("string", "id", "dapr-placement-0", "This member's id in --initial-cluster"),
  roleFlag(
    "strings",
    "initial-cluster",
    "[dapr-placement-0=127.0.0.1:8201]",
    "All members as id=host:port, comma-separated; the address is where they vote for a leader",
  ),
  roleFlag("bool", "inmem-store-enabled", "true", "Accepted; members store nothing"),
  roleFlag(
    "duration",
    "keepalive-time",
    "2s",
    "Silence of a sidecar after which it is asked for a sign of life; 1s to 10s",
  ),
  roleFlag("duration", "keepalive-timeout", "3s", "How long that sign may take; 1s to 10s"),
  roleFlag("string", "listen-address", "", "Address for sidecars; empty for every interface"),
  roleFlag("bool", "metadata-enabled", "false", "Show the tables on the health server under /placement/state"),
  roleFlag("int", "port", "50005", "Port for sidecars"),
  roleFlag("string", "raft-logstore-path", "", "Accepted; members store nothing"),
  roleFlag("int", "replicationFactor", "100", "Virtual nodes of each host on the ring"),
  { ...roleFlag("int", "max-api-level", "10", ""), ...DEPRECATED },
  { ...roleFlag("int", "min-api-level", "0", ""), ...DEPRECATED },
] as const satisfies readonly FlagDefinition[];

export type PlacementFlag = (typeof PLACEMENT_FLAGS)[number];

const INITIAL_CLUSTER: readonly string[] = ["dapr-placement-0=127.0.0.1:8201"];
const METADATA_VARIABLE = "DAPR_PLACEMENT_METADATA_ENABLED";

const KEEPALIVE_MS_MIN = 1_000;
const KEEPALIVE_MS_MAX = 10_000;
/** More nodes a host make rings slow to compute in every sidecar. */
const REPLICATION_FACTOR_MAX = 10_000;

/** @throws RoleOptionsError for values that Dapr refuses too, and for what this release does not have */
export function placementOptions(flags: ParsedFlags<PlacementFlag>, env: Environment): PlacementOptions {
  return {
    tls: roleTls(flags, env),
    id: flags.text("id"),
    members: parseMembers(flags.given("initial-cluster") ? flags.list("initial-cluster") : INITIAL_CLUSTER),
    port: portOf("port", flags.integer("port")),
    listenAddress: flags.text("listen-address"),
    metadataEnabled: flags.given("metadata-enabled")
      ? flags.bool("metadata-enabled")
      : isTruthy(env[METADATA_VARIABLE] ?? ""),
    replicationFactor: replicationFactor(flags.integer("replicationFactor")),
    keepaliveMs: keepalive("keepalive-time", flags.milliseconds("keepalive-time")),
    keepaliveTimeoutMs: keepalive("keepalive-timeout", flags.milliseconds("keepalive-timeout")),
    disseminateTimeoutMs: flags.milliseconds("disseminate-timeout"),
    coalesceWindowMs: flags.milliseconds("disseminate-coalesce-window"),
  };
}

function keepalive(flag: string, valueMs: number): number {
  if (valueMs < KEEPALIVE_MS_MIN || valueMs > KEEPALIVE_MS_MAX) {
    const [least, most] = [KEEPALIVE_MS_MIN, KEEPALIVE_MS_MAX].map((ms) => formatGoDuration(ms));
    throw new RoleOptionsError(
      `invalid value for ${flag}: value should be between ${least} and ${most}, got ${formatGoDuration(valueMs)}`,
    );
  }
  return valueMs;
}

function replicationFactor(value: number): number {
  if (value < 1 || value > REPLICATION_FACTOR_MAX) {
    throw new RoleOptionsError(
      `invalid value for replicationFactor: value should be between 1 and ${REPLICATION_FACTOR_MAX}, got ${value}`,
    );
  }
  return value;
}

/** As Dapr reads them: entries that are not `id=address` are passed over. */
function parseMembers(entries: readonly string[]): readonly ClusterMember[] {
  const members = entries.flatMap((entry) => {
    const [id, address, ...more] = entry.split("=").map((part) => part.trim());
    return id === undefined || address === undefined || more.length > 0 ? [] : [{ id, address }];
  });
  for (const { id, address } of members) {
    if (members.filter((member) => member.id === id).length > 1) {
      throw new RoleOptionsError(`invalid value for initial-cluster: found duplicate ID in configuration: ${id}`);
    }
    if (!/^.*:\d+$/.test(address)) {
      throw new RoleOptionsError(
        `invalid value for initial-cluster: address ${address} of ${id}: missing port in address`,
      );
    }
  }
  return members;
}
