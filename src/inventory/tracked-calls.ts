import type { Component } from "../components/spi/component.ts";

/** A component whose calls under way are counted, so that whoever replaces it knows when the last one has ended. */
export interface TrackedCalls<T extends Component> {
  /** Has every member of the component and stands in for it. */
  readonly component: T;
  /** Resolves when no call is under way; calls that begin afterwards are not waited for. */
  idle(): Promise<void>;
}

type Method = (...args: unknown[]) => unknown;

/**
 * Wraps a component that has been initialised. A call costs one more promise reaction; nothing is wrapped where components
 * never change. Life-cycle methods go through uncounted.
 */
export function trackCalls<T extends Component>(component: T): TrackedCalls<T> {
  let active = 0;
  const waiting: (() => void)[] = [];
  const leave = (): void => {
    active -= 1;
    if (active === 0) {
      for (const resolve of waiting.splice(0)) {
        resolve();
      }
    }
  };
  const counted =
    (method: Method): Method =>
    (...args) => {
      active += 1;
      let result: unknown;
      try {
        result = method.apply(component, args);
      } catch (error) {
        leave();
        throw error;
      }
      if (result instanceof Promise) {
        result.then(leave, leave);
      } else {
        leave();
      }
      return result;
    };
  return {
    component: standIn(component, counted),
    idle: () => (active === 0 ? Promise.resolve() : new Promise((resolve) => void waiting.push(resolve))),
  };
}

/** An object with the members of another, which stays `this` of its methods, so that private fields are reached. */
function standIn<T extends Component>(component: T, counted: (method: Method) => Method): T {
  const members: PropertyDescriptorMap = {};
  for (let owner: object | null = component; owner !== null && owner !== Object.prototype;) {
    for (const name of Object.getOwnPropertyNames(owner)) {
      if (name !== "constructor" && !Object.hasOwn(members, name)) {
        members[name] = memberOf(component, name, Object.getOwnPropertyDescriptor(owner, name), counted);
      }
    }
    owner = Object.getPrototypeOf(owner) as object | null;
  }
  return Object.defineProperties({}, members) as T;
}

function memberOf(
  component: object,
  name: string,
  found: PropertyDescriptor | undefined,
  counted: (method: Method) => Method,
): PropertyDescriptor {
  const value: unknown = found?.value;
  if (typeof value !== "function") {
    // Read each time: limits and capabilities are known late.
    return { enumerable: true, get: () => Reflect.get(component, name) as unknown };
  }
  const method = value as Method;
  return {
    enumerable: true,
    value: name === "init" || name === "close" ? method.bind(component) : counted(method),
  };
}
