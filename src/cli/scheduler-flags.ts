import { resolve } from "node:path";
import type { SchedulerOptions } from "../control-plane/scheduler/start-scheduler.ts";
import { listenText } from "../control-plane/shared/listen-address.ts";
import { InvalidQuantityError, parseQuantity } from "../kit/quantity.ts";
import { hostAddress } from "../sidecar/host-address.ts";
import type { FlagDefinition, ParsedFlags } from "./flag-set.ts";
import type { HostProcess } from "./host-process.ts";
import { portOf, refuseTls, ROLE_FLAGS, roleFlag, RoleOptionsError, TLS_FLAGS } from "./role-flags.ts";

/** Flags that tune an embedded etcd, which this scheduler does not have. */
const ETCD_TUNING = [
  roleFlag("int", "etcd-backend-batch-limit", "10000", "Accepted; the store groups writes by itself"),
  roleFlag("string", "etcd-backend-batch-interval", "100ms", "Accepted; the store groups writes by itself"),
  roleFlag("string", "etcd-compaction-mode", "revision", "Accepted; the store keeps no old revisions"),
  roleFlag("string", "etcd-compaction-retention", "1000000", "Accepted; the store keeps no old revisions"),
  roleFlag(
    "uint",
    "etcd-experimental-bootstrap-defrag-threshold-megabytes",
    "100",
    "Accepted; the store uses freed space again",
  ),
  roleFlag("bool", "etcd-initial-election-tick-advance", "false", "Accepted; there is one member"),
  roleFlag("uint", "etcd-max-snapshots", "10", "Accepted; there are no snapshots"),
  roleFlag("uint", "etcd-max-wals", "10", "Accepted; the store has one log"),
  roleFlag("string", "etcd-metrics", "basic", "Accepted"),
  roleFlag("uint", "etcd-snapshot-count", "100000", "Accepted; there are no snapshots"),
] as const;

/** Every flag of the scheduler 1.18.3 (cmd/scheduler/options/options.go). */
export const SCHEDULER_FLAGS = [
  ...ROLE_FLAGS,
  ...TLS_FLAGS,
  ...ETCD_TUNING,
  roleFlag("strings", "etcd-client-endpoints", "[]", "Endpoints of an etcd to use with --etcd-embed=false"),
  roleFlag("string", "etcd-client-listen-address", "localhost", "Address for etcd clients"),
  roleFlag("string", "etcd-client-password", "", "Password for the etcd to use with --etcd-embed=false"),
  roleFlag("uint", "etcd-client-port", "2379", "Port for etcd clients"),
  roleFlag("string", "etcd-client-username", "", "User name for the etcd to use with --etcd-embed=false"),
  roleFlag("string", "etcd-data-dir", "./data", "Folder of the store; one scheduler uses it at a time"),
  roleFlag("bool", "etcd-embed", "true", "Keep jobs in a store of our own; false for an etcd elsewhere"),
  roleFlag(
    "strings",
    "etcd-initial-cluster",
    "[dapr-scheduler-server-0=http://localhost:2380]",
    "All members as id=url; this release takes only this one",
  ),
  roleFlag("uint", "etcd-max-txn-ops", "10000", "Operations of one transaction of an etcd client"),
  roleFlag("string", "etcd-space-quota", "9.2E", "Bytes that all keys and values may have"),
  roleFlag("string", "id", "dapr-scheduler-server-0", "This member's id"),
  { ...roleFlag("string", "identity-directory-write", "", "Accepted; there are no certificates"), hidden: true },
  { ...roleFlag("string", "kubeconfig", "", "For Kubernetes mode"), hidden: true },
  roleFlag("string", "listen-address", "", "Address for sidecars; empty for every interface"),
  roleFlag(
    "string",
    "override-broadcast-host-port",
    "",
    "host:port that sidecars are told to connect to, where it is not what this process sees",
  ),
  roleFlag("int", "port", "50006", "Port for sidecars"),
  roleFlag("uint", "workers", "2048", "Accepted; triggers need no workers"),
] as const satisfies readonly FlagDefinition[];

export type SchedulerFlag = (typeof SCHEDULER_FLAGS)[number];

/** @throws RoleOptionsError for what Dapr refuses too, and for what this release does not have */
export function schedulerOptions(flags: ParsedFlags<SchedulerFlag>, host: HostProcess): SchedulerOptions {
  checkKubernetes(flags);
  checkEtcd(flags);
  refuseTls(flags);
  refuseCluster(flags);
  const port = portOf("port", flags.integer("port"));
  return {
    id: flags.text("id"),
    port,
    listenAddress: flags.text("listen-address"),
    broadcastAddress: flags.given("override-broadcast-host-port")
      ? flags.text("override-broadcast-host-port")
      : listenText(hostAddress(flags.text("listen-address"), host.env["DAPR_HOST_IP"] ?? ""), port),
    dataDir: resolve(host.cwd, flags.text("etcd-data-dir")),
    etcdPort: portOf("etcd-client-port", flags.integer("etcd-client-port")),
    etcdListenAddress: loopback(flags.text("etcd-client-listen-address")),
    spaceBytesMax: spaceQuota(flags.text("etcd-space-quota")),
    txnOperationsMax: flags.integer("etcd-max-txn-ops"),
    workers: workers(flags.integer("workers")),
    diagnostics: host.err,
  };
}

function checkKubernetes(flags: ParsedFlags<SchedulerFlag>): void {
  const kubernetes = flags.text("mode") === "kubernetes";
  if (flags.given("kubeconfig") && !kubernetes) {
    throw new RoleOptionsError("kubeconfig flag is only valid in --mode=kubernetes");
  }
  if (kubernetes) {
    throw new RoleOptionsError(
      "--mode=kubernetes needs mutual TLS and a watch of namespaces, which this release does not have; use --mode=standalone",
    );
  }
}

/** Dapr's rules first, in its words. */
function checkEtcd(flags: ParsedFlags<SchedulerFlag>): void {
  const endpoints = flags.list("etcd-client-endpoints");
  if (flags.bool("etcd-embed")) {
    if (endpoints.length > 0) {
      throw new RoleOptionsError("cannot use --etcd-client-endpoints with --etcd-embed");
    }
    for (const name of ["etcd-client-username", "etcd-client-password"] as const) {
      if (flags.text(name) !== "") {
        throw new RoleOptionsError(`cannot use --${name} with --etcd-embed`);
      }
    }
    return;
  }
  if (endpoints.length === 0) {
    throw new RoleOptionsError("must specify --etcd-client-endpoints when not using embedded etcd");
  }
  throw new RoleOptionsError(
    "--etcd-embed=false asks for an etcd elsewhere, which this release cannot use; without it jobs are kept in --etcd-data-dir",
  );
}

/** The store is one process's: a second member would have jobs of its own. */
function refuseCluster(flags: ParsedFlags<SchedulerFlag>): void {
  if (!flags.given("etcd-initial-cluster")) {
    return;
  }
  const members = flags.list("etcd-initial-cluster");
  if (members.length > 1) {
    throw new RoleOptionsError(
      `--etcd-initial-cluster names ${members.length} members, and this release runs one scheduler: name only ${flags.text("id")}`,
    );
  }
  const [member = ""] = members;
  if (member !== "" && member.split("=", 1)[0]?.trim() !== flags.text("id")) {
    throw new RoleOptionsError(`--etcd-initial-cluster does not name this member, --id=${flags.text("id")}`);
  }
}

/** `localhost` may mean ::1 first, where clients of 127.0.0.1 find nothing. */
function loopback(address: string): string {
  return address === "localhost" ? "127.0.0.1" : address;
}

function spaceQuota(text: string): number {
  try {
    return parseQuantity(text);
  } catch (error) {
    if (error instanceof InvalidQuantityError) {
      throw new RoleOptionsError(`failed to parse etcd space quota: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

function workers(count: number): number {
  if (count < 1) {
    throw new RoleOptionsError("workers must be larger than 0");
  }
  return count;
}
