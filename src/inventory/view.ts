import type { Component } from "../components/spi/component.ts";
import type { ComponentView, Loaded } from "./types.ts";

type Listener<T extends Component> = (name: string, loaded: Loaded<T> | undefined) => unknown;

/** A change that listeners have been told. `settled` resolves when none of them uses what was there before; it never rejects. */
export interface ToldChange {
  readonly settled: Promise<unknown>;
}

/** The inventory's own side of a view: what blocks see read-only. */
export class LiveView<T extends Component> implements ComponentView<T> {
  readonly #loaded = new Map<string, Loaded<T>>();
  readonly #listeners: Listener<T>[] = [];

  get size(): number {
    return this.#loaded.size;
  }

  get(name: string): Loaded<T> | undefined {
    return this.#loaded.get(name);
  }

  values(): Iterable<Loaded<T>> {
    return this.#loaded.values();
  }

  watch(listener: Listener<T>): void {
    this.#listeners.push(listener);
    for (const [name, loaded] of this.#loaded) {
      listener(name, loaded);
    }
  }

  set(loaded: Loaded<T>): ToldChange {
    this.#loaded.set(loaded.name, loaded);
    return this.#tell(loaded.name, loaded);
  }

  delete(name: string): ToldChange {
    return this.#loaded.delete(name) ? this.#tell(name, undefined) : { settled: Promise.resolve() };
  }

  #tell(name: string, loaded: Loaded<T> | undefined): ToldChange {
    return { settled: Promise.allSettled(this.#listeners.map((listener) => listener(name, loaded))) };
  }
}
