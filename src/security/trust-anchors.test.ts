import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Cancellation } from "../kit/cancel-signal.ts";
import type { Logger } from "../kit/logger.ts";
import { silentLogger } from "../kit/silent-logger.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { OTHER_CERT, SELF_SIGNED_CERT } from "../net/http/self-signed.fixture.ts";
import { TRUST_ANCHORS_MAX } from "./limits.ts";
import { fileTrustAnchors, fixedTrustAnchors, type TrustAnchors } from "./trust-anchors.ts";

const PATIENCE = { timeout: 20_000 };

describe("fixed trust anchors", () => {
  it("are the certificates of a text, whatever stands around them", () => {
    const pem = `# ours\n${SELF_SIGNED_CERT}\n\n${OTHER_CERT}`;
    expect(fixedTrustAnchors(pem).pem).toBe(pem);
  });

  it.each([
    ["", "failed to decode trust anchors: no certificates found"],
    ["-----BEGIN CERTIFICATE-----\nno\n", "failed to decode trust anchors: no certificates found"],
    [SELF_SIGNED_CERT.repeat(TRUST_ANCHORS_MAX + 1), "there are 257 trust anchors, and 256 is the most"],
  ])("are refused when they are none or too many", (pem, message) => {
    expect(() => fixedTrustAnchors(pem)).toThrow(message);
  });
});

describe("trust anchors in a file", () => {
  let folder: string;
  let path: string;
  let anchors: TrustAnchors | undefined;
  const clock = new VirtualClock();
  const errors: string[] = [];
  const logger: Logger = { ...silentLogger, error: (message) => void errors.push(message) };
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "anchors-"));
    path = join(folder, "ca.crt");
    errors.length = 0;
  });
  afterEach(async () => {
    anchors?.close();
    await rm(folder, { recursive: true });
  });

  const open = (signal = new Cancellation()): Promise<TrustAnchors> =>
    fileTrustAnchors({ path, clock, logger, signal });

  /** Lets the watch look until it has seen something. */
  async function looking(seen: () => void): Promise<void> {
    await vi.waitFor(() => {
      clock.advance(1_000);
      seen();
    }, PATIENCE);
  }

  it("may come later", async () => {
    const opening = open();
    await writeFile(`${path}.new`, SELF_SIGNED_CERT);
    await rename(`${path}.new`, path);
    void opening.then((opened) => (anchors = opened));
    await looking(() => expect(anchors?.pem).toBe(SELF_SIGNED_CERT));
  });

  it("are not waited for any more when nobody needs them", async () => {
    const stop = new Cancellation();
    const opening = open(stop);
    stop.abort(new Error("stopping"));
    await expect(opening).rejects.toThrow("stopping");
  });

  it("are told when the file changes, and stay when it changes to nonsense or goes away", async () => {
    await writeFile(path, SELF_SIGNED_CERT);
    anchors = await open();
    let told = 0;
    anchors.onChange(() => (told += 1));
    await writeFile(path, OTHER_CERT);
    await looking(() => expect([anchors?.pem, told]).toEqual([OTHER_CERT, 1]));
    await writeFile(path, "nonsense");
    await looking(() => expect(errors).toEqual([expect.stringContaining("the trust anchors of before stay in use")]));
    await rm(path);
    clock.advance(1_000);
    expect([anchors.pem, told]).toEqual([OTHER_CERT, 1]);
  });

  it("stay when the file cannot be looked at, which is said once, and are read again when it can", async () => {
    await writeFile(path, SELF_SIGNED_CERT);
    anchors = await open();
    // A folder that is none: everybody gets ENOTDIR, also who may read everything.
    await rename(folder, `${folder}.away`);
    await writeFile(folder, "");
    await looking(() => expect(errors).toEqual([expect.stringContaining("failed to stat file")]));
    clock.advance(2_000);
    await rm(folder);
    await rename(`${folder}.away`, folder);
    await writeFile(path, OTHER_CERT);
    await looking(() => expect(anchors?.pem).toBe(OTHER_CERT));
    expect(errors.length).toBe(1);
  });

  it("are refused when the file has none", async () => {
    await writeFile(path, "nonsense");
    await expect(open()).rejects.toThrow(`failed to read trust anchors file '${path}': failed to decode trust anchors`);
  });
});
