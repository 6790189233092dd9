import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { pluggableManifests } from "../../src/components/pluggable/manifest.ts";
import type { Component, ComponentManifest } from "../../src/components/spi/component.ts";
import { silentLogger } from "../../src/kit/silent-logger.ts";
import { systemClock } from "../../src/kit/system-clock.ts";
import { createH2Transport } from "../../src/net/h2/protocol/transport.ts";
import { type OfferedService, startComponentServer } from "../harness/pluggable/component-server.ts";

const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Serves a component for the time of a test file and gives back the one manifest that discovery made of it, with the
 * capabilities that its instances will have.
 */
export async function servedManifest<T extends Component>(
  services: readonly OfferedService[],
  capabilities: readonly string[],
): Promise<ComponentManifest<T>> {
  const folder = mkdtempSync(join(tmpdir(), "outrigger-sockets-"));
  const server = await startComponentServer(join(folder, "served.sock"), services);
  afterAll(async () => {
    await server.kill();
    rmSync(folder, { recursive: true });
  });
  const manifests = await pluggableManifests({
    folder,
    transport: createH2Transport(),
    messageBytesMax: MESSAGE_BYTES_MAX,
    clock: systemClock,
    logger: silentLogger,
  });
  const [manifest] = manifests;
  if (manifest === undefined || manifests.length !== 1) {
    throw new Error(`discovery made ${manifests.length} manifests`);
  }
  return { ...(manifest as ComponentManifest<T>), capabilities };
}
