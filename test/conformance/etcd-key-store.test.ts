import { afterAll, describe, expect, it, test } from "vitest";
import { create } from "@bufbuild/protobuf";
import { EtcdClient } from "../../src/control-plane/scheduler/store/etcd-client.ts";
import { EtcdKeyStore } from "../../src/control-plane/scheduler/store/etcd-key-store.ts";
import { EtcdLeases } from "../../src/control-plane/scheduler/store/etcd-leases.ts";
import { prefixRange } from "../../src/control-plane/scheduler/store/keys.ts";
import { systemClock } from "../../src/kit/system-clock.ts";
import { systemRandom } from "../../src/kit/random.ts";
import { silentLogger } from "../../src/kit/silent-logger.ts";
import { methodsOf } from "../../src/net/grpc/protobuf.ts";
import { createH2Transport } from "../../src/net/h2/protocol/transport.ts";
import { CompactionRequestSchema, KV } from "../../src/wire/gen/etcdserverpb/rpc_pb.js";
import { etcdMissing, startEtcdServer } from "../harness/etcd-server.ts";
import { until } from "../harness/until.ts";
import { keyStoreConformance } from "./key-store.ts";

if (etcdMissing !== undefined) {
  test.skip(`the scheduler's store on etcd: ${etcdMissing}`);
} else {
  describe("the scheduler's store on etcd", async () => {
    const server = await startEtcdServer();
    afterAll(() => server[Symbol.asyncDispose]());

    const clientOf = (endpoints: readonly string[]): EtcdClient =>
      new EtcdClient({ endpoints, clock: systemClock, transport: createH2Transport() });
    const storeOf = (client: EtcdClient): EtcdKeyStore =>
      new EtcdKeyStore(client, { clock: systemClock, random: systemRandom, logger: silentLogger });
    const open = async (): Promise<EtcdKeyStore> => {
      const store = storeOf(clientOf([server.address]));
      await store.commit({ apply: [{ kind: "delete range", range: prefixRange("") }] });
      return store;
    };

    keyStoreConformance(open);

    it("is found behind an endpoint that is not there", async () => {
      const store = storeOf(clientOf(["127.0.0.1:1", server.address]));
      await store.commit({ apply: [{ kind: "put", key: "a", value: Buffer.from("1") }] });
      expect((await store.get("a"))?.key).toBe("a");
      await store.close();
    });

    it("has leases that take their keys with them", async () => {
      const client = clientOf([server.address]);
      const store = storeOf(client);
      const leases = new EtcdLeases(client, systemRandom);
      const lease = await leases.grant(20);
      await store.commit({ apply: [{ kind: "put", key: "leased", value: Buffer.of(), lease }] });
      expect((await store.get("leased"))?.lease).toBe(lease);
      expect(await leases.keepAlive(lease)).toBe(true);
      await leases.revoke(lease);
      await leases.revoke(lease);
      expect(await leases.keepAlive(lease)).toBe(false);
      expect(await store.get("leased")).toBeUndefined();
      await store.close();
    });

    it("is asked as somebody where etcd wants to know who, again when it has forgotten", async () => {
      await using guarded = await startEtcdServer();
      const admin = async (path: string, body: object): Promise<void> => {
        const url = `http://${guarded.address}/v3/auth/${path}`;
        const { status } = await fetch(url, { method: "POST", body: JSON.stringify(body) });
        expect(status).toBe(200);
      };
      const deps = { clock: systemClock, transport: createH2Transport(), endpoints: [guarded.address] };
      const credentials = { username: "root", password: "secret" };
      const store = storeOf(new EtcdClient({ ...deps, credentials }));
      // Nobody is asked yet.
      await store.commit({ apply: [{ kind: "put", key: "a", value: Buffer.from("1") }] });
      await admin("user/add", { name: "root", password: "secret" });
      await admin("role/add", { name: "root" });
      await admin("user/grant", { user: "root", role: "root" });
      await admin("enable", {});
      expect((await store.get("a"))?.key).toBe("a");
      const stranger = storeOf(new EtcdClient(deps));
      await expect(stranger.get("a")).rejects.toMatchObject({ name: "KeyStoreError", kind: "failed" });
      const liar = storeOf(new EtcdClient({ ...deps, credentials: { username: "root", password: "wrong" } }));
      await expect(liar.get("a")).rejects.toThrow("authentication failed");
      await guarded.kill();
      await guarded.start();
      expect((await store.get("a"))?.key).toBe("a");
      await Promise.all([store.close(), stranger.close(), liar.close()]);
    });

    it("is read again by who follows it from a revision that has been compacted", async () => {
      const store = await open();
      const told: string[] = [];
      let compacted = false;
      const following = store.follow(prefixRange("p/"), {
        begin: () => void told.push("begin"),
        page: async (kvs) => {
          told.push(`${kvs.length} keys`);
          if (!compacted) {
            // Between the page and the watch that continues it.
            compacted = true;
            const put = { kind: "put", key: "p/a", value: Buffer.from("1") } as const;
            const { revision } = await store.commit({ apply: [put] });
            await store.commit({ apply: [put] });
            const client = clientOf([server.address]);
            const request = create(CompactionRequestSchema, { revision: BigInt(revision + 1) });
            await client.callOnce(methodsOf(KV).compact, request, 5_000);
            await client.close();
          }
        },
        synced: () => void told.push("synced"),
        changed: (changes) => void told.push(`${changes.length} changes`),
      });
      await until("all is read again", () => told.length >= 6);
      expect(told).toEqual(["begin", "0 keys", "synced", "begin", "1 keys", "synced"]);
      following.end();
      await store.close();
    });
  });
}
