import { describe, expect, it } from "vitest";
import { fakeHost } from "./fake-host.fixture.ts";
import { parseFlags } from "./flag-set.ts";
import { SCHEDULER_FLAGS, schedulerOptions } from "./scheduler-flags.ts";

function options(args: readonly string[]) {
  return schedulerOptions(parseFlags(SCHEDULER_FLAGS, args), fakeHost().host);
}

describe("the scheduler's flags", () => {
  it("have Dapr's defaults", () => {
    expect(options(["--listen-address=127.0.0.1"])).toMatchObject({
      id: "dapr-scheduler-server-0",
      port: 50006,
      listenAddress: "127.0.0.1",
      broadcastAddress: "127.0.0.1:50006",
      dataDir: "/data",
      etcdPort: 2379,
      etcdListenAddress: "127.0.0.1",
      spaceBytesMax: 9.2e18,
      txnOperationsMax: 10_000,
      actorRemindersMax: 10_000,
      workers: 2_048,
    });
  });

  it("say what sidecars are told to connect to", () => {
    expect(options(["--override-broadcast-host-port=far.example:1"]).broadcastAddress).toBe("far.example:1");
    expect(options(["--port=7", "--listen-address=localhost"]).broadcastAddress).toBe("localhost:7");
  });

  it("take this member and others, by their names", () => {
    expect(options(["--id=a", "--etcd-initial-cluster=a=http://x:1"]).initialCluster).toEqual(["a=http://x:1"]);
    const two = options(["--id=a", "--etcd-initial-cluster=a=http://x:1,b=http://y:1"]);
    expect(two.initialCluster).toEqual(["a=http://x:1", "b=http://y:1"]);
    expect(() => options(["--id=c", "--etcd-initial-cluster=a=http://x:1"])).toThrow("ID: c is not found");
    expect(options(["--id=c"]).initialCluster).toEqual(["c=http://localhost:2380"]);
  });

  it("take an etcd elsewhere, and who asks it", () => {
    const elsewhere = ["--etcd-embed=false", "--etcd-client-endpoints=http://a:1,b:2"];
    expect(options(elsewhere).externalEtcd).toEqual({ endpoints: ["http://a:1", "b:2"], credentials: undefined });
    const user = ["--etcd-client-username=me", "--etcd-client-password=secret"];
    expect(options([...elsewhere, ...user]).externalEtcd?.credentials).toEqual({ username: "me", password: "secret" });
  });

  it("take what tunes a member's etcd", () => {
    const tuning = ["--etcd-snapshot-count=1", "--etcd-backend-batch-interval=50ms", "--etcd-metrics=extensive"];
    expect(options(tuning).etcdTuning).toMatchObject({
      snapshotCount: 1,
      backendBatchInterval: "50ms",
      metrics: "extensive",
      maxWals: 10,
    });
  });
});
