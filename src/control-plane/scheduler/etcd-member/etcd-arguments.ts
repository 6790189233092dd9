import { arch } from "node:os";
import type { EtcdProgram } from "./etcd-program.ts";

/** What a member of an etcd cluster is told; the flags of Dapr's scheduler, of which most are etcd's own. */
export interface EtcdMemberSettings {
  readonly id: string;
  /** All members as `id=url`, this one too. */
  readonly initialCluster: readonly string[];
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly spaceBytesMax: number;
  readonly txnOperationsMax: number;
  readonly tuning: EtcdTuning;
  /** What members need who have https:// among themselves; undefined: they speak in plain text. */
  readonly peerTls?: PeerTls | undefined;
}

/** Mutual TLS between the members' etcds. */
export interface PeerTls {
  /** With `key.pem`, `cert.pem` and `ca.pem`, which etcd reads anew for each connection. */
  readonly folder: string;
  /** Stands in the certificate of every scheduler, and in nobody else's of that authority. */
  readonly allowedHostname: string;
}

export interface EtcdTuning {
  readonly backendBatchLimit: number;
  readonly backendBatchInterval: string;
  readonly compactionMode: string;
  readonly compactionRetention: string;
  readonly defragThresholdMegabytes: number;
  readonly initialElectionTickAdvance: boolean;
  readonly maxSnapshots: number;
  readonly maxWals: number;
  readonly metrics: string;
  readonly snapshotCount: number;
}

/** As Dapr's: a job may be as large as gRPC lets it be. */
const REQUEST_BYTES_MAX = 2 ** 31 - 1;

/** etcd's own largest quota is that of a signed 64-bit number. */
const QUOTA_BYTES_MAX = 9_200_000_000_000_000_000n;

/** An error of the command line, in Dapr's words. */
export class InitialClusterError extends Error {
  override readonly name = "InitialClusterError";
}

/** This member's peer URL. @throws InitialClusterError */
export function peerUrlOf(id: string, initialCluster: readonly string[], peerTls?: PeerTls): URL {
  let own: URL | undefined;
  for (const entry of initialCluster) {
    const at = entry.indexOf("=");
    if (at === -1 || !URL.canParse(entry.slice(at + 1))) {
      throw new InitialClusterError(
        `failed to create etcd config: incorrect format for --etcd-initial-cluster: ${entry}. Should contain <id>=http://<ip>:<peer-port>`,
      );
    }
    const url = new URL(entry.slice(at + 1));
    if (url.protocol === "https:" && peerTls === undefined) {
      throw new InitialClusterError(
        `--etcd-initial-cluster: ${entry} asks for TLS between members: switch it on with --tls-enabled, or use http://`,
      );
    }
    if (url.protocol !== "http:" && url.protocol !== "https:") {
      throw new InitialClusterError(`--etcd-initial-cluster: ${entry} must begin with http:// or https://`);
    }
    if (entry.slice(0, at).trim() === id) {
      own = url;
    }
  }
  if (own === undefined) {
    throw new InitialClusterError(`failed to create etcd config: scheduler ID: ${id} is not found in initial cluster`);
  }
  return own;
}

/** The member's command line, without the program. @throws InitialClusterError */
export function etcdArguments(settings: EtcdMemberSettings, folder: string, { minor }: EtcdProgram): string[] {
  const { id, initialCluster, clientAddress, clientPort, tuning } = settings;
  const peer = peerUrlOf(id, initialCluster, settings.peerTls);
  const client = `http://${clientAddress}:${clientPort}`;
  const quota = BigInt(Math.min(settings.spaceBytesMax, Number.MAX_SAFE_INTEGER));
  const values: Record<string, string | number | boolean | bigint> = {
    name: id,
    "data-dir": folder,
    "initial-cluster": initialCluster.join(","),
    "initial-advertise-peer-urls": `${peer.protocol}//${peer.host}`,
    "listen-peer-urls": `${peer.protocol}//${listenHost(peer)}:${peer.port}`,
    "listen-client-urls": client,
    "advertise-client-urls": client,
    "max-request-bytes": REQUEST_BYTES_MAX,
    "quota-backend-bytes": settings.spaceBytesMax > Number.MAX_SAFE_INTEGER ? QUOTA_BYTES_MAX : quota,
    "max-txn-ops": settings.txnOperationsMax,
    "auto-compaction-mode": tuning.compactionMode,
    "auto-compaction-retention": tuning.compactionRetention,
    "max-snapshots": tuning.maxSnapshots,
    "max-wals": tuning.maxWals,
    "snapshot-count": tuning.snapshotCount,
    "backend-batch-limit": tuning.backendBatchLimit,
    "backend-batch-interval": tuning.backendBatchInterval,
    "initial-election-tick-advance": tuning.initialElectionTickAdvance,
    metrics: tuning.metrics,
    logger: "zap",
    "log-level": "warn",
    "log-outputs": "stderr",
  };
  if (settings.peerTls !== undefined && peer.protocol === "https:") {
    const { folder: identity, allowedHostname } = settings.peerTls;
    values["peer-cert-file"] = `${identity}/cert.pem`;
    values["peer-key-file"] = `${identity}/key.pem`;
    values["peer-trusted-ca-file"] = `${identity}/ca.pem`;
    values["peer-client-cert-auth"] = true;
    values["peer-cert-allowed-hostname"] = allowedHostname;
  }
  if (minor >= 6) {
    values["bootstrap-defrag-threshold-megabytes"] = tuning.defragThresholdMegabytes;
  } else if (minor === 5) {
    values["experimental-bootstrap-defrag-threshold-megabytes"] = tuning.defragThresholdMegabytes;
  }
  return Object.entries(values).map(([name, value]) => `--${name}=${value}`);
}

/** The member's environment: none, so that no ETCD_ variable overrides a flag. */
export function etcdEnvironment({ minor }: EtcdProgram): Record<string, string> {
  // etcd 3.4 starts on other processors only when it is told to.
  return minor === 4 && arch() !== "x64" ? { ETCD_UNSUPPORTED_ARCH: arch() } : {};
}

/** As Dapr's: on all interfaces where the name is not one of this machine's own addresses. */
function listenHost({ hostname }: URL): string {
  return /^[0-9.]+$|^\[|^localhost$/.test(hostname) ? hostname : "0.0.0.0";
}
