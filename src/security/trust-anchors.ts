import { X509Certificate } from "node:crypto";
import { type FileHandle, open, stat } from "node:fs/promises";
import type { CancelSignal } from "../kit/cancel-signal.ts";
import { type Clock, sleep, type Timer } from "../kit/clock.ts";
import { errorMessage } from "../kit/error-message.ts";
import type { Logger } from "../kit/logger.ts";
import { TRUST_ANCHORS_BYTES_MAX, TRUST_ANCHORS_MAX, TRUST_ANCHORS_WAIT_MS, TRUST_ANCHORS_WATCH_MS } from "./limits.ts";

/** The root certificates that all certificates of peers must lead to. */
export interface TrustAnchors {
  /** PEM of all of them, as it is now. */
  readonly pem: string;
  /** Told of every change. @returns what ends it */
  onChange(told: () => void): () => void;
  close(): void;
}

export interface TrustAnchorsFileOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends the wait for a file that is not there yet. */
  readonly signal: CancelSignal;
}

/** Trust anchors that stay the same. @throws Error for text that is no certificates */
export function fixedTrustAnchors(pem: string): TrustAnchors {
  checkAnchors(pem);
  return { pem, onChange: () => () => undefined, close: () => undefined };
}

/**
 * Trust anchors in a file that may come later and change. A change that cannot be used is told in the log, and the anchors
 * of before stay: Dapr ends the process then.
 *
 * @throws Error for a file that is no certificates; the signal's reason
 */
export async function fileTrustAnchors(options: TrustAnchorsFileOptions): Promise<TrustAnchors> {
  const { path, clock, logger, signal } = options;
  let seen = await fingerprint(path);
  while (seen === undefined) {
    await sleep(clock, TRUST_ANCHORS_WAIT_MS, signal);
    seen = await fingerprint(path);
    if (seen === undefined) {
      logger.warn(`Trust anchors file '${path}' not found, waiting...`);
    }
  }
  logger.info(`Trust anchors file '${path}' found`);
  const pem = await readAnchors(path);
  logger.info(`Watching trust anchors file '${path}' for changes`);
  return new FileTrustAnchors(options, pem, seen);
}

class FileTrustAnchors implements TrustAnchors {
  pem: string;
  readonly #options: TrustAnchorsFileOptions;
  readonly #told = new Set<() => void>();
  readonly #timer: Timer;
  #seen: string;
  #isLooking = false;
  #complaint = "";

  constructor(options: TrustAnchorsFileOptions, pem: string, seen: string) {
    this.#options = options;
    this.pem = pem;
    this.#seen = seen;
    this.#timer = options.clock.every(TRUST_ANCHORS_WATCH_MS, () => void this.#look());
  }

  onChange(told: () => void): () => void {
    this.#told.add(told);
    return () => this.#told.delete(told);
  }

  close(): void {
    this.#timer.cancel();
    this.#told.clear();
  }

  async #look(): Promise<void> {
    if (this.#isLooking) {
      return;
    }
    this.#isLooking = true;
    try {
      await this.#reload();
    } catch (error) {
      this.#complain(errorMessage(error));
    } finally {
      this.#isLooking = false;
    }
  }

  /** A file that is gone for a moment, as while it is exchanged, says nothing. */
  async #reload(): Promise<void> {
    const { path, logger } = this.#options;
    const now = await fingerprint(path);
    if (now === undefined || now === this.#seen) {
      return;
    }
    // What cannot be read now may be readable soon, without another sign of it.
    const pem = await readAnchors(path);
    this.#seen = now;
    this.#complaint = "";
    logger.info("Trust anchors file changed, reloading trust anchors");
    if (pem !== this.pem) {
      this.pem = pem;
      for (const told of this.#told) {
        told();
      }
    }
  }

  /** Once for each reason: a folder that cannot be entered is looked at twice a second. */
  #complain(reason: string): void {
    if (reason !== this.#complaint) {
      this.#complaint = reason;
      this.#options.logger.error(`${reason}; the trust anchors of before stay in use`);
    }
  }
}

/** Changes with the file; undefined while there is none. */
async function fingerprint(path: string): Promise<string | undefined> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino}/${size}/${mtimeMs}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return undefined;
    }
    throw new Error(`failed to stat file '${path}': ${errorMessage(error)}`, { cause: error });
  }
}

async function readAnchors(path: string): Promise<string> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const { size } = await file.stat();
    if (size > TRUST_ANCHORS_BYTES_MAX) {
      throw new Error(`it has ${size} bytes, and ${TRUST_ANCHORS_BYTES_MAX} is the most: leave only root certificates`);
    }
    const pem = await file.readFile("latin1");
    checkAnchors(pem);
    return pem;
  } catch (error) {
    throw new Error(`failed to read trust anchors file '${path}': ${errorMessage(error)}`, { cause: error });
  } finally {
    await file?.close();
  }
}

function checkAnchors(pem: string): void {
  const certificates = certificatesOf(pem);
  if (certificates.length === 0) {
    throw new Error("failed to decode trust anchors: no certificates found");
  }
  if (certificates.length > TRUST_ANCHORS_MAX) {
    throw new Error(`there are ${certificates.length} trust anchors, and ${TRUST_ANCHORS_MAX} is the most`);
  }
}

/** The certificates of a PEM text in their order. @throws Error for one that cannot be read */
export function certificatesOf(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}
