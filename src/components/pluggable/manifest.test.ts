import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Logger } from "../../kit/logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import type { Transport } from "../../net/h2/transport.ts";
import { pluggableManifests } from "./manifest.ts";

const lines: string[] = [];
const keep = (message: string): void => void lines.push(message);
const logger: Logger = {
  debug: keep,
  info: keep,
  warn: keep,
  error: keep,
  fatal: keep,
  enabled: () => true,
  scope: () => logger,
};
const transport: Transport = {
  createServer: () => {
    throw new Error("nothing is served");
  },
  createClient: () => {
    throw new Error("nothing is dialled");
  },
};

let folder = "";
beforeEach(async () => {
  lines.length = 0;
  folder = await mkdtemp(join(tmpdir(), "outrigger-manifest-"));
});
afterEach(() => rm(folder, { recursive: true }));

const look = (path: string) =>
  pluggableManifests({ folder: path, transport, messageBytesMax: 1_024, clock: new VirtualClock(), logger });

it("no folder is no component, and nothing to talk about", async () => {
  expect(await look(join(folder, "none"))).toEqual([]);
  expect(lines).toEqual([]);
});

it("folders are passed over, files that are no sockets are told", async () => {
  await mkdir(join(folder, "inner"));
  await writeFile(join(folder, "file.sock"), "");
  expect(await look(folder)).toEqual([]);
  expect(lines).toEqual([`could not use socket for file ${join(folder, "file.sock")}`]);
});

it("a folder that cannot be listed is told", async () => {
  const file = join(folder, "file");
  await writeFile(file, "");
  expect(await look(file)).toEqual([]);
  expect(lines).toEqual([expect.stringContaining("could not list pluggable components unix sockets: ENOTDIR")]);
});
