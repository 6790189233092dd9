import { expect, it } from "vitest";
import type { Component } from "../components/spi/component.ts";
import { trackCalls } from "./tracked-calls.ts";

class Store implements Component {
  readonly journal: string[] = [];
  limit = 1;
  #secret = 41;
  optional?: () => Promise<string>;
  /** Resolved by the test. */
  gate = Promise.withResolvers<void>();

  get capabilities(): readonly string[] {
    return [`N${this.#secret}`];
  }

  async init(): Promise<void> {}

  async get(key: string): Promise<string> {
    await this.gate.promise;
    return key + this.#secret;
  }

  fail(): never {
    throw new Error("at once");
  }

  async close(): Promise<void> {
    this.journal.push("close");
  }
}

it("stands in for the component, private fields and late properties included", async () => {
  const store = new Store();
  store.optional = async () => "yes";
  const { component } = trackCalls(store);
  store.gate.resolve();
  expect(await component.get("a")).toBe("a41");
  expect(component.capabilities).toEqual(["N41"]);
  store.limit = 7;
  expect(component.limit).toBe(7);
  expect(await component.optional?.()).toBe("yes");
  expect("missing" in component).toBe(false);
  await component.close();
  expect(store.journal).toEqual(["close"]);
});

it("is idle when the last call has ended, however it ended", async () => {
  const store = new Store();
  const { component, idle } = trackCalls(store);
  await idle();
  const call = component.get("a");
  expect(() => component.fail()).toThrow("at once");
  let isIdle = false;
  const waiting = idle().then(() => (isIdle = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(isIdle).toBe(false);
  store.gate.reject(new Error("gone"));
  await expect(call).rejects.toThrow("gone");
  await waiting;
  expect(isIdle).toBe(true);
});
