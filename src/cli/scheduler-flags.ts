import { isAbsolute, join, resolve } from "node:path";
import { ACTOR_REMINDERS_MAX } from "../control-plane/scheduler/limits.ts";
import type { SchedulerOptions } from "../control-plane/scheduler/start-scheduler.ts";
import { listenText } from "../control-plane/shared/listen-address.ts";
import type { RoleTls } from "../control-plane/shared/role-identity.ts";
import { InvalidQuantityError, parseQuantity } from "../kit/quantity.ts";
import { hostAddress } from "../sidecar/host-address.ts";
import type { FlagDefinition, ParsedFlags } from "./flag-set.ts";
import type { HostProcess } from "./host-process.ts";
import { portOf, ROLE_FLAGS, roleFlag, RoleOptionsError, roleTls, TLS_FLAGS } from "./role-flags.ts";

const DEFAULT_ID = "dapr-scheduler-server-0";
const DEFAULT_MEMBER = `${DEFAULT_ID}=http://localhost:2380`;

/** Flags that tune the etcd of a scheduler that is one of several; one that is alone needs none of them. */
const ETCD_TUNING = [
  roleFlag("int", "etcd-backend-batch-limit", "10000", "Writes that a member's etcd commits together"),
  roleFlag("string", "etcd-backend-batch-interval", "100ms", "How long a member's etcd collects writes"),
  roleFlag("string", "etcd-compaction-mode", "revision", "What etcd-compaction-retention counts: revision or periodic"),
  roleFlag("string", "etcd-compaction-retention", "1000000", "Old revisions, or time, that a member's etcd keeps"),
  roleFlag(
    "uint",
    "etcd-experimental-bootstrap-defrag-threshold-megabytes",
    "100",
    "Free megabytes from which on a member's etcd (3.5 or newer) gives them back when it starts",
  ),
  roleFlag("bool", "etcd-initial-election-tick-advance", "false", "Whether a member's etcd hurries its first election"),
  roleFlag("uint", "etcd-max-snapshots", "10", "Snapshots that a member's etcd keeps; 0 for all"),
  roleFlag("uint", "etcd-max-wals", "10", "Logs that a member's etcd keeps; 0 for all"),
  roleFlag("string", "etcd-metrics", "basic", "Metrics of a member's etcd: basic or extensive"),
  roleFlag("uint", "etcd-snapshot-count", "100000", "Commits after which a member's etcd makes a snapshot"),
] as const;

/** Every flag of the scheduler 1.18.3 (cmd/scheduler/options/options.go), and our `actor-reminders-max` and `etcd-binary`. */
export const SCHEDULER_FLAGS = [
  ...ROLE_FLAGS,
  ...TLS_FLAGS,
  ...ETCD_TUNING,
  roleFlag(
    "uint",
    "actor-reminders-max",
    String(ACTOR_REMINDERS_MAX),
    "Reminders that one actor may have; 0 for no limit. Dapr's scheduler has none",
  ),
  roleFlag(
    "string",
    "etcd-binary",
    "",
    "Absolute path of the etcd that several members run; empty for where packages put it. Dapr's scheduler has it built in",
  ),
  roleFlag("strings", "etcd-client-endpoints", "[]", "Endpoints of an etcd to use with --etcd-embed=false"),
  roleFlag("string", "etcd-client-listen-address", "localhost", "Address for etcd clients"),
  roleFlag("string", "etcd-client-password", "", "Password for the etcd to use with --etcd-embed=false"),
  roleFlag("uint", "etcd-client-port", "2379", "Port for etcd clients"),
  roleFlag("string", "etcd-client-username", "", "User name for the etcd to use with --etcd-embed=false"),
  roleFlag("string", "etcd-data-dir", "./data", "Folder of the store; one scheduler uses it at a time"),
  roleFlag(
    "bool",
    "etcd-embed",
    "true",
    "Keep jobs in a store of our own; false for the etcd of --etcd-client-endpoints",
  ),
  roleFlag(
    "strings",
    "etcd-initial-cluster",
    `[${DEFAULT_MEMBER}]`,
    "All members as id=http://host:port, comma-separated; with several, each runs an etcd, which they form together",
  ),
  roleFlag("uint", "etcd-max-txn-ops", "10000", "Operations of one transaction of an etcd client"),
  roleFlag("string", "etcd-space-quota", "9.2E", "Bytes that all keys and values may have"),
  roleFlag("string", "id", DEFAULT_ID, "This member's id"),
  {
    ...roleFlag("string", "identity-directory-write", "", "Folder in which other programs find the certificates"),
    hidden: true,
  },
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
  const port = portOf("port", flags.integer("port"));
  return {
    id: flags.text("id"),
    tls: schedulerTls(flags, host),
    port,
    listenAddress: flags.text("listen-address"),
    broadcastAddress: flags.given("override-broadcast-host-port")
      ? flags.text("override-broadcast-host-port")
      : listenText(hostAddress(flags.text("listen-address"), host.env["DAPR_HOST_IP"] ?? ""), port),
    dataDir: resolve(host.cwd, flags.text("etcd-data-dir")),
    namespace: host.env["NAMESPACE"] || "default",
    initialCluster: initialCluster(flags),
    externalEtcd: externalEtcd(flags),
    etcdBinary: etcdBinary(flags.text("etcd-binary")),
    etcdTuning: etcdTuning(flags),
    etcdPort: portOf("etcd-client-port", flags.integer("etcd-client-port")),
    etcdListenAddress: loopback(flags.text("etcd-client-listen-address")),
    spaceBytesMax: spaceQuota(flags.text("etcd-space-quota")),
    txnOperationsMax: flags.integer("etcd-max-txn-ops"),
    actorRemindersMax: flags.integer("actor-reminders-max"),
    workers: workers(flags.integer("workers")),
    diagnostics: host.err,
  };
}

/** Where it is written matters only to who wants to read it: Dapr's default is a folder that all schedulers of a machine share. */
function schedulerTls(flags: ParsedFlags<SchedulerFlag>, host: HostProcess): RoleTls | undefined {
  const tls = roleTls(flags, host.env);
  if (tls === undefined) {
    return undefined;
  }
  if (!flags.given("trust-anchors-file")) {
    throw new RoleOptionsError("trust anchors are required");
  }
  const given = flags.text("identity-directory-write");
  const isForEtcd = flags.list("etcd-initial-cluster").some((member) => member.includes("=https://"));
  const folder = given === "" && isForEtcd ? join(flags.text("etcd-data-dir"), "identity") : given;
  return { ...tls, folder: folder === "" ? undefined : resolve(host.cwd, folder) };
}

function checkKubernetes(flags: ParsedFlags<SchedulerFlag>): void {
  const kubernetes = flags.text("mode") === "kubernetes";
  if (flags.given("kubeconfig") && !kubernetes) {
    throw new RoleOptionsError("kubeconfig flag is only valid in --mode=kubernetes");
  }
  if (kubernetes) {
    throw new RoleOptionsError(
      "--mode=kubernetes needs a watch of namespaces, which this release does not have; use --mode=standalone",
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
}

/** All members, of which this is one. */
function initialCluster(flags: ParsedFlags<SchedulerFlag>): readonly string[] {
  const id = flags.text("id");
  if (!flags.given("etcd-initial-cluster")) {
    return id === DEFAULT_ID ? [DEFAULT_MEMBER] : [`${id}=${DEFAULT_MEMBER.slice(DEFAULT_ID.length + 1)}`];
  }
  const members = flags.list("etcd-initial-cluster").map((member) => member.trim());
  if (flags.bool("etcd-embed") && !members.some((member) => member.split("=", 1)[0] === id)) {
    throw new RoleOptionsError(
      `failed to create etcd config: scheduler ID: ${id} is not found in initial cluster (--etcd-initial-cluster=${members.join(",")})`,
    );
  }
  return members;
}

function externalEtcd(flags: ParsedFlags<SchedulerFlag>): SchedulerOptions["externalEtcd"] {
  if (flags.bool("etcd-embed")) {
    return undefined;
  }
  const endpoints = flags.list("etcd-client-endpoints");
  const secure = endpoints.find((endpoint) => endpoint.startsWith("https:"));
  if (secure !== undefined) {
    throw new RoleOptionsError(
      `--etcd-client-endpoints: ${secure} asks for TLS, which neither this release nor Dapr's scheduler has for an etcd elsewhere`,
    );
  }
  const [username, password] = [flags.text("etcd-client-username"), flags.text("etcd-client-password")];
  return { endpoints, credentials: username === "" ? undefined : { username, password } };
}

/** Never found by a relative name, which would mean another program in another folder. */
function etcdBinary(path: string): string | undefined {
  if (path !== "" && !isAbsolute(path)) {
    throw new RoleOptionsError(`--etcd-binary must be an absolute path, and ${path} is none`);
  }
  return path === "" ? undefined : path;
}

function etcdTuning(flags: ParsedFlags<SchedulerFlag>): SchedulerOptions["etcdTuning"] {
  return {
    backendBatchLimit: flags.integer("etcd-backend-batch-limit"),
    backendBatchInterval: flags.text("etcd-backend-batch-interval"),
    compactionMode: flags.text("etcd-compaction-mode"),
    compactionRetention: flags.text("etcd-compaction-retention"),
    defragThresholdMegabytes: flags.integer("etcd-experimental-bootstrap-defrag-threshold-megabytes"),
    initialElectionTickAdvance: flags.bool("etcd-initial-election-tick-advance"),
    maxSnapshots: flags.integer("etcd-max-snapshots"),
    maxWals: flags.integer("etcd-max-wals"),
    metrics: flags.text("etcd-metrics"),
    snapshotCount: flags.integer("etcd-snapshot-count"),
  };
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
