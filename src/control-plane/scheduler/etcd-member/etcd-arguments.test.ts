import { describe, expect, it } from "vitest";
import { etcdArguments, type EtcdMemberSettings, peerUrlOf } from "./etcd-arguments.ts";

const settings: EtcdMemberSettings = {
  id: "b",
  initialCluster: ["a=http://10.0.0.1:2380", "b=http://host-b:2381"],
  clientAddress: "127.0.0.1",
  clientPort: 2379,
  spaceBytesMax: 9.2e18,
  txnOperationsMax: 10_000,
  tuning: {
    backendBatchLimit: 10_000,
    backendBatchInterval: "100ms",
    compactionMode: "revision",
    compactionRetention: "1000000",
    defragThresholdMegabytes: 100,
    initialElectionTickAdvance: false,
    maxSnapshots: 10,
    maxWals: 10,
    metrics: "basic",
    snapshotCount: 100_000,
  },
};

function flags(minor: number, more: Partial<EtcdMemberSettings> = {}): readonly string[] {
  return etcdArguments({ ...settings, ...more }, "/data", { path: "/usr/bin/etcd", minor });
}

describe("what a member's etcd is told", () => {
  it("is where it listens: on all interfaces where its name is not an address", () => {
    expect(flags(5)).toEqual(
      expect.arrayContaining([
        "--name=b",
        "--data-dir=/data",
        "--initial-cluster=a=http://10.0.0.1:2380,b=http://host-b:2381",
        "--initial-advertise-peer-urls=http://host-b:2381",
        "--listen-peer-urls=http://0.0.0.0:2381",
        "--listen-client-urls=http://127.0.0.1:2379",
        "--quota-backend-bytes=9200000000000000000",
      ]),
    );
    for (const url of ["http://10.0.0.2:2380", "http://localhost:2380", "http://[::1]:2380"]) {
      expect(flags(5, { initialCluster: [`b=${url}`] })).toContain(`--listen-peer-urls=${url}`);
    }
    expect(flags(5, { spaceBytesMax: 1_000 })).toContain("--quota-backend-bytes=1000");
  });

  it("is how the members know each other, where they have TLS", () => {
    const peerTls = { folder: "/identity", allowedHostname: "a.example" };
    const secure = flags(4, { initialCluster: ["a=https://a:1", "b=https://b:1"], peerTls });
    expect(secure).toEqual(
      expect.arrayContaining([
        "--initial-advertise-peer-urls=https://b:1",
        "--listen-peer-urls=https://0.0.0.0:1",
        "--peer-cert-file=/identity/cert.pem",
        "--peer-key-file=/identity/key.pem",
        "--peer-trusted-ca-file=/identity/ca.pem",
        "--peer-client-cert-auth=true",
        "--peer-cert-allowed-hostname=a.example",
      ]),
    );
    expect(flags(4, { peerTls }).join(" ")).not.toContain("--peer-cert");
  });

  it("has only what its version knows", () => {
    expect(flags(4).join(" ")).not.toContain("defrag");
    expect(flags(5)).toContain("--experimental-bootstrap-defrag-threshold-megabytes=100");
    expect(flags(6)).toContain("--bootstrap-defrag-threshold-megabytes=100");
  });

  it.each([
    ["c", ["a=http://x:1"], "scheduler ID: c is not found in initial cluster"],
    ["a", ["a"], "incorrect format for --etcd-initial-cluster: a"],
    ["a", ["a=http://x:1", "b=:"], "incorrect format for --etcd-initial-cluster: b=:"],
    ["a", ["a=https://x:1"], "asks for TLS between members: switch it on with --tls-enabled"],
    ["a", ["a=ftp://x:1"], "must begin with http:// or https://"],
  ])("is refused for %s in %j", (id, initialCluster, reason) => {
    expect(() => peerUrlOf(id, initialCluster)).toThrow(reason);
  });
});
