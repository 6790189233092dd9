import { mkdir, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
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

  /** @throws Error of the file system */
  async write({ privateKey, chain, token }: WorkloadCertificate, trustAnchors: string): Promise<void> {
    const base = dirname(this.#path);
    this.#writes += 1;
    const folder = join(base, `${this.#clock.now()}${this.#writes}-${basename(this.#path)}`);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const files = { "key.pem": privateKey, "cert.pem": chain, "ca.pem": trustAnchors };
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(folder, name), text, { mode: 0o600 });
    }
    if (token !== undefined) {
      await writeFile(join(folder, "jwt_svid.token"), token.token, { mode: 0o600 });
    }
    // A former run of the program has left one, too.
    this.#former ??= await readlink(this.#path).catch(() => undefined);
    const link = `${folder}.link`;
    await symlink(folder, link);
    await rename(link, this.#path);
    this.#logger.info(`Atomic write to ${this.#path}`);
    if (this.#former !== undefined) {
      await rm(this.#former, { recursive: true, force: true });
    }
    this.#former = folder;
  }
}
