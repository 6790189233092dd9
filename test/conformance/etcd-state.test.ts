import { afterAll, describe, test } from "vitest";
import { etcdStateManifest } from "../../src/components/etcd/state-manifest.ts";
import { etcdMissing, startEtcdServer } from "../harness/etcd-server.ts";
import { redisDeps } from "./redis.ts";
import { stateConformance } from "./state.ts";

/** etcd grants no lease of less than two seconds, and looks for those that have run out every half a second. */
const LEASE_LATENESS_MS = 1_400;

if (etcdMissing !== undefined) {
  test.skip(`state.etcd: ${etcdMissing}`);
} else {
  describe("state.etcd", async () => {
    const server = await startEtcdServer();
    afterAll(() => server[Symbol.asyncDispose]());
    stateConformance({
      manifest: etcdStateManifest,
      deps: { ...redisDeps, name: "etcd", version: "v2" },
      metadata: { endpoints: server.address },
      elapse: (ms) => new Promise((resolve) => void setTimeout(resolve, ms + LEASE_LATENESS_MS)),
    });
  });
}
