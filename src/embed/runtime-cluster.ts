import type { SharedScope } from "../components/spi/component.ts";
import { LocalServices, type LocalServicesOptions } from "../control-plane/local-services.ts";

const SHARED_KEY = "embed.cluster";

/**
 * The runtimes of one scope: they share a placement service and a scheduler, on the clock of the first of them, for as long
 * as one of them lives.
 */
export class RuntimeCluster {
  #members = 0;
  #services: LocalServices | undefined;
  #jobsFolder: string | undefined;
  #closing: Promise<void> = Promise.resolve();

  static of(shared: SharedScope): RuntimeCluster {
    return shared.acquire(SHARED_KEY, () => new RuntimeCluster());
  }

  /** `leave` must follow. @throws Error for a folder that is not the other runtimes' */
  async join(options: LocalServicesOptions): Promise<LocalServices> {
    this.#members += 1;
    // An earlier set of runtimes may still hold the folder.
    await this.#closing;
    const { jobsFolder } = options;
    if (this.#services === undefined) {
      this.#services = new LocalServices(options);
      this.#jobsFolder = jobsFolder;
    } else if (jobsFolder !== undefined && jobsFolder !== this.#jobsFolder) {
      this.#members -= 1;
      throw new Error(
        `runtimes of one scope keep their jobs in one place, which is ${this.#jobsFolder ?? "memory"} already, not ${jobsFolder}: give the first of them this jobsFolder`,
      );
    }
    return this.#services;
  }

  /** Resolves when, after the last one, nothing is left open. */
  async leave(): Promise<void> {
    this.#members -= 1;
    if (this.#members === 0 && this.#services !== undefined) {
      const services = this.#services;
      this.#services = undefined;
      this.#closing = services.close();
    }
    await this.#closing;
  }
}
