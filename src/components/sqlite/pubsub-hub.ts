import type { Engine } from "../../storage/engine.ts";
import type { Consumer } from "./pubsub-consumer.ts";
import type { PubSubStatement } from "./pubsub-schema.ts";

/**
 * What the instances of one process have in common on one file: the engine, so that they do not wait for each other's
 * locks, and the consumers by topic, whom a publish wakes at once.
 */
export class PubSubHub {
  readonly #consumers = new Map<string, Set<Consumer>>();
  #engine: Promise<Engine<PubSubStatement>> | undefined;
  #users = 0;

  /** The engine; the first who comes opens it. Every call that did not fail is followed by one of `leave`. */
  async join(open: () => Promise<Engine<PubSubStatement>>): Promise<Engine<PubSubStatement>> {
    this.#users += 1;
    this.#engine ??= open();
    const engine = this.#engine;
    try {
      return await engine;
    } catch (error) {
      await this.leave();
      throw error;
    }
  }

  /** The last who leaves closes the engine. */
  async leave(): Promise<void> {
    this.#users -= 1;
    if (this.#users > 0) {
      return;
    }
    const engine = this.#engine;
    this.#engine = undefined;
    const opened = await engine?.catch(() => undefined);
    await opened?.close();
  }

  add(topic: string, consumer: Consumer): void {
    const consumers = this.#consumers.get(topic);
    if (consumers === undefined) {
      this.#consumers.set(topic, new Set([consumer]));
    } else {
      consumers.add(consumer);
    }
  }

  remove(topic: string, consumer: Consumer): void {
    const consumers = this.#consumers.get(topic);
    consumers?.delete(consumer);
    if (consumers?.size === 0) {
      this.#consumers.delete(topic);
    }
  }

  /** There is a new message. */
  wake(topic: string): void {
    for (const consumer of this.#consumers.get(topic) ?? []) {
      consumer.wake();
    }
  }
}
