import { join } from "node:path";
import { createDeps } from "../../../src/components/in-memory/pubsub.fixture.ts";
import { inMemoryPubSubManifest } from "../../../src/components/in-memory/pubsub-manifest.ts";
import { inMemoryStateManifest } from "../../../src/components/in-memory/state-manifest.ts";
import { stateDeps } from "../../../src/components/in-memory/state-store.fixture.ts";
import type { PubSub } from "../../../src/components/spi/pubsub.ts";
import type { StateStore } from "../../../src/components/spi/state.ts";
import { systemClock } from "../../../src/kit/system-clock.ts";
import { temporaryFolder } from "../resources.ts";
import { startTestSidecar, type TestSidecar, type TestSidecarOptions } from "../test-sidecar.ts";
import { type ComponentServer, type OfferedService, startComponentServer } from "./component-server.ts";

/** A folder of sockets for one test, with what it serves and the sidecar that looks there. */
export interface SocketsFolder extends AsyncDisposable {
  readonly path: string;
  serve(name: string, services: readonly OfferedService[], reflection?: boolean): Promise<ComponentServer>;
  sidecar(options: TestSidecarOptions): Promise<TestSidecar>;
}

/** Disposing of it stops the sidecars, then the components. */
export async function socketsFolder(): Promise<SocketsFolder> {
  const folder = await temporaryFolder();
  const cleanUps: (() => Promise<unknown>)[] = [];
  return {
    path: folder.path,
    async serve(name, services, reflection) {
      const server = await startComponentServer(join(folder.path, name), services, reflection);
      cleanUps.push(server.kill);
      return server;
    },
    async sidecar(options) {
      const one = await startTestSidecar({
        ...options,
        deps: { ...options.deps, environment: { DAPR_COMPONENTS_SOCKETS_FOLDER: folder.path } },
      });
      cleanUps.push(one.stop);
      return one;
    },
    async [Symbol.asyncDispose]() {
      for (const cleanUp of cleanUps.toReversed()) {
        await cleanUp();
      }
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** A store of ours to put behind a socket. */
export async function inMemoryStore(): Promise<StateStore> {
  const store = (await inMemoryStateManifest.load())(stateDeps(systemClock));
  await store.init({}, new AbortController().signal);
  return store;
}

/** A broker of ours to put behind a socket. */
export async function inMemoryBroker(): Promise<PubSub> {
  const broker = (await inMemoryPubSubManifest.load())(createDeps({ clock: systemClock }).deps);
  await broker.init({}, new AbortController().signal);
  return broker;
}
