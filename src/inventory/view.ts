import type { Component } from "../components/spi/component.ts";
import type { ComponentView, Loaded } from "./types.ts";

type Listener<T extends Component> = (name: string, loaded: Loaded<T> | undefined) => void;

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

  set(loaded: Loaded<T>): void {
    this.#loaded.set(loaded.name, loaded);
    this.#tell(loaded.name, loaded);
  }

  delete(name: string): void {
    if (this.#loaded.delete(name)) {
      this.#tell(name, undefined);
    }
  }

  #tell(name: string, loaded: Loaded<T> | undefined): void {
    for (const listener of this.#listeners) {
      listener(name, loaded);
    }
  }
}
