import { mkdir, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { Clock } from "../kit/clock.ts";
import type { Logger } from "../kit/logger.ts";
import type { WorkloadCertificate } from "./workload-certificate.ts";

/**
 * A folder in which other programs find the certificate, as Dapr's `--identity-directory-write` has it: `key.pem`,
 * `cert.pem` (with its chain), `ca.pem` and, where there is one, `jwt_svid.token`. It is a link to a folder that is
 * exchanged as a whole, so that nobody reads a key that is not the certificate's.
 */
export class IdentityFolder {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #former: string | undefined;
  #writes = 0;

  constructor(path: string, clock: Clock, logger: Logger) {
    this.#path = path;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** @throws Error of the file system; what was there before stays, and nothing of the new one */
  async write(certificate: WorkloadCertificate, trustAnchors: string): Promise<void> {
    this.#writes += 1;
    const folder = join(dirname(this.#path), `${this.#clock.now()}${this.#writes}-${basename(this.#path)}`);
    try {
      await writeFiles(folder, certificate, trustAnchors);
      this.#former ??= await this.#leftBehind();
      const link = `${folder}.link`;
      await symlink(folder, link);
      await rename(link, this.#path);
    } catch (error) {
      await rm(`${folder}.link`, { force: true });
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
    this.#logger.info(`Atomic write to ${this.#path}`);
    if (this.#former !== undefined) {
      await rm(this.#former, { recursive: true, force: true });
    }
    this.#former = folder;
  }

  /** What a former run of the program has left. A link to anything else is somebody's, and what it leads to stays. */
  async #leftBehind(): Promise<string | undefined> {
    const target = await readlink(this.#path).catch(() => undefined);
    if (target === undefined) {
      return undefined;
    }
    const base = dirname(this.#path);
    const former = resolve(base, target);
    const [, name] = /^\d+-(.*)$/s.exec(basename(former)) ?? [];
    return dirname(former) === resolve(base) && name === basename(this.#path) ? former : undefined;
  }
}

async function writeFiles(
  folder: string,
  { privateKey, chain, token }: WorkloadCertificate,
  trustAnchors: string,
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const files: Record<string, string> = { "key.pem": privateKey, "cert.pem": chain, "ca.pem": trustAnchors };
  if (token !== undefined) {
    files["jwt_svid.token"] = token.token;
  }
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text, { mode: 0o600 });
  }
}
