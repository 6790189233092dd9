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
      workers: 2_048,
    });
  });

  it("say what sidecars are told to connect to", () => {
    expect(options(["--override-broadcast-host-port=far.example:1"]).broadcastAddress).toBe("far.example:1");
    expect(options(["--port=7", "--listen-address=localhost"]).broadcastAddress).toBe("localhost:7");
  });

  it("take one member, by its name", () => {
    expect(options(["--id=a", "--etcd-initial-cluster=a=http://x:1"]).id).toBe("a");
    expect(() => options(["--id=a", "--etcd-initial-cluster=a=http://x:1,b=http://y:1"])).toThrow("names 2 members");
  });

  it("take everything that tunes an etcd, to no effect", () => {
    const tuning = ["--etcd-snapshot-count=1", "--etcd-backend-batch-interval=50ms", "--etcd-metrics=extensive"];
    expect(options(["--id=a", ...tuning]).id).toBe("a");
  });
});
