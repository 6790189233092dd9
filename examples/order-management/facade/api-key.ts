import type { DaprClient } from "@dapr/dapr";
import { createHash, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { API_KEY_SECRET, COMPONENTS } from "../model/names.ts";

const secretSchema = z.object({ [API_KEY_SECRET]: z.string().min(1) });

/** The key that write routes need, from the secret store; read once, with the first request that needs it. */
export class ApiKey {
  readonly #client: DaprClient;
  #digest: Promise<Buffer> | undefined;

  constructor(client: DaprClient) {
    this.#client = client;
  }

  /** Throws while the secret store cannot be read. */
  async isRight(key: string): Promise<boolean> {
    this.#digest ??= this.#read();
    try {
      return timingSafeEqual(digestOf(key), await this.#digest);
    } catch (error) {
      this.#digest = undefined;
      throw error;
    }
  }

  async #read(): Promise<Buffer> {
    const secret = secretSchema.parse(await this.#client.secret.get(COMPONENTS.secrets, API_KEY_SECRET));
    return digestOf(secret[API_KEY_SECRET]);
  }
}

/** Of one length whatever the text, so that neither its length nor its beginning shows in the time. */
function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
