import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { silentLogger } from "../kit/silent-logger.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { IdentityFolder } from "./identity-folder.ts";
import { certificateOf } from "./security.fixture.ts";

let base: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "identity-"));
});
afterEach(() => rm(base, { recursive: true }));

const token = { token: "TOKEN", audiences: ["public"], expiresMs: 0 };

it("holds the last certificate only, readable for its owner, through restarts", async () => {
  const path = join(base, "tls");
  const clock = new VirtualClock();
  const write = async (folder: IdentityFolder, key: string): Promise<void> => {
    clock.advance(1);
    await folder.write(certificateOf({ privateKey: key, chain: "CHAIN", token }), "ANCHORS");
  };
  const first = new IdentityFolder(path, clock, silentLogger);
  await write(first, "KEY 1");
  await write(first, "KEY 2");
  await write(new IdentityFolder(path, clock, silentLogger), "KEY 3");

  const read = (name: string): Promise<string> => readFile(join(path, name), "utf8");
  expect(await Promise.all(["key.pem", "cert.pem", "ca.pem", "jwt_svid.token"].map(read))).toEqual([
    "KEY 3",
    "CHAIN",
    "ANCHORS",
    "TOKEN",
  ]);
  expect(((await stat(join(path, "key.pem"))).mode & 0o777).toString(8)).toBe("600");
  expect((await readdir(base)).length).toBe(2);
});

it("takes the place of a link to a folder of somebody else's, and leaves that folder alone", async () => {
  const path = join(base, "tls");
  const other = join(base, "other");
  await mkdir(other);
  await writeFile(join(other, "precious"), "");
  await symlink(other, path);
  await new IdentityFolder(path, new VirtualClock(), silentLogger).write(certificateOf({ token }), "ANCHORS");
  expect(await readFile(join(path, "ca.pem"), "utf8")).toBe("ANCHORS");
  expect(await readdir(other)).toEqual(["precious"]);
});

it("leaves no key behind that could not be put in its place", async () => {
  const path = join(base, "tls");
  await mkdir(path);
  const folder = new IdentityFolder(path, new VirtualClock(), silentLogger);
  await expect(folder.write(certificateOf({ token }), "ANCHORS")).rejects.toThrow("EISDIR");
  expect(await readdir(base)).toEqual(["tls"]);
});
