import { Worker } from "node:worker_threads";
import type { Clock, Timer } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import {
  BODY_FLAG,
  BODY_HEAD_BYTES,
  BODY_LENGTH,
  BODY_STATE,
  FLAG_END,
  FLAG_FAILED,
  type FromGuest,
  type GuestStart,
  type ToGuest,
} from "./guest-messages.ts";
import { GUEST_SCRIPT } from "./guest-script.ts";
import { GUEST_MS_MAX, SHARED_BODY_BYTES, START_MS_MAX } from "./limits.ts";
import type { RequestBody } from "./request-body.ts";

/** What a guest makes of a request or an answer. */
export type GuestResult = Extract<FromGuest, { kind: "requestDone" | "responseDone" }>;

/** The guest trapped, took too long, or its thread has ended. */
export class GuestError extends Error {
  override readonly name = "GuestError";
}

export interface GuestThreadOptions extends Pick<GuestStart, "module" | "config" | "strictSandbox" | "logLevel"> {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** One instance of a guest in a thread of its own, which can be stopped whatever the guest does. One call at a time. */
export class GuestThread {
  /** False once the instance is of no further use. */
  isUsable = true;
  readonly #options: GuestThreadOptions;
  readonly #shared = new SharedArrayBuffer(BODY_HEAD_BYTES + SHARED_BODY_BYTES);
  readonly #head = new Int32Array(this.#shared, 0, BODY_HEAD_BYTES / 4);
  readonly #worker: Worker;
  #call: PromiseWithResolvers<FromGuest> | undefined;
  #body: RequestBody | undefined;
  #deadline: Timer | undefined;

  constructor(options: GuestThreadOptions) {
    this.#options = options;
    const { module, config, strictSandbox, logLevel } = options;
    const workerData: GuestStart = { module, config, strictSandbox, logLevel, shared: this.#shared };
    this.#worker = new Worker(GUEST_SCRIPT.script, {
      eval: GUEST_SCRIPT.eval,
      name: "http-wasm-guest",
      workerData,
      env: {},
    });
    this.#worker.unref();
    this.#worker.on("message", (message: FromGuest) => this.#onMessage(message));
    this.#worker.on("error", (error: unknown) => this.#fail(errorMessage(error)));
    this.#worker.on("exit", () => this.#fail("its thread has ended"));
  }

  /** @throws GuestError when the guest does not come up */
  async open(): Promise<void> {
    await this.#answer(START_MS_MAX);
  }

  /** @param body of the request, read when the guest asks for it. @throws GuestError; the instance is of no further use then */
  async run(message: ToGuest, body: RequestBody | undefined): Promise<GuestResult> {
    this.#body = body;
    this.#worker.postMessage(message);
    try {
      return (await this.#answer(GUEST_MS_MAX)) as GuestResult;
    } finally {
      this.#body = undefined;
    }
  }

  async close(): Promise<void> {
    this.isUsable = false;
    await this.#worker.terminate();
  }

  async #answer(limitMs: number): Promise<FromGuest> {
    const call = Promise.withResolvers<FromGuest>();
    this.#call = call;
    if (!this.isUsable) {
      this.#fail("its thread has ended");
    }
    this.#startDeadline(limitMs);
    try {
      return await call.promise;
    } finally {
      this.#deadline?.cancel();
      this.#call = undefined;
    }
  }

  #startDeadline(limitMs: number): void {
    this.#deadline = this.#options.clock.after(limitMs, () => this.#fail(`it took longer than ${limitMs} ms`));
  }

  #onMessage(message: FromGuest): void {
    const { logger } = this.#options;
    switch (message.kind) {
      case "log":
        logAt(logger, message.level, message.text);
        return;
      case "output":
        logger.debug(`wasm ${message.stream}: ${message.text}`);
        return;
      case "body":
        void this.#feed();
        return;
      case "failed":
        this.#fail(message.reason);
        return;
      default:
        this.#call?.resolve(message);
    }
  }

  /** Gives the sleeping thread the next piece; what a slow sender takes is not the guest's time. */
  async #feed(): Promise<void> {
    this.#deadline?.cancel();
    let piece: Uint8Array | undefined;
    let flag = 0;
    try {
      piece = await this.#body?.read(SHARED_BODY_BYTES);
      flag = piece === undefined ? FLAG_END : 0;
    } catch {
      flag = FLAG_FAILED;
    }
    if (!this.isUsable) {
      return;
    }
    this.#startDeadline(GUEST_MS_MAX);
    new Uint8Array(this.#shared, BODY_HEAD_BYTES).set(piece ?? []);
    Atomics.store(this.#head, BODY_LENGTH, piece?.byteLength ?? 0);
    Atomics.store(this.#head, BODY_FLAG, flag);
    Atomics.store(this.#head, BODY_STATE, 1);
    Atomics.notify(this.#head, BODY_STATE);
  }

  #fail(reason: string): void {
    if (this.isUsable) {
      this.isUsable = false;
      void this.#worker.terminate();
    }
    this.#call?.reject(new GuestError(`wasm: the guest failed: ${reason}`));
  }
}

function logAt(logger: Logger, level: number, text: string): void {
  if (level < 0) {
    logger.debug(text);
  } else if (level === 0) {
    logger.info(text);
  } else if (level === 1) {
    logger.warn(text);
  } else {
    logger.error(text);
  }
}
