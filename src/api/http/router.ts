import type { PathParams, Route } from "./route.ts";

/** A match: the route and the decoded values of its places. */
export interface RouteMatch {
  readonly route: Route;
  readonly params: PathParams;
}

/** A place of the path holds a broken percent escape. */
export class BadEscapeError extends Error {
  override readonly name = "BadEscapeError";
}

interface Node {
  readonly literal: Map<string, Node>;
  place: Node | undefined;
  readonly methods: Map<string, Leaf>;
  readonly rest: Map<string, Leaf>;
}

interface Leaf {
  readonly route: Route;
  readonly names: readonly string[];
}

/**
 * Finds a route by method and path. It is our own because Dapr's rules fit no library: a literal segment wins over a
 * place, but only where it has the method; values are unescaped once, `+` meaning a space (Go's QueryUnescape); and
 * what matches nothing is not an error but a service invocation.
 */
export class Router {
  readonly #root = newNode();

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      this.#add(route);
    }
  }

  /** @throws BadEscapeError for a value that cannot be unescaped */
  find(method: string, path: string): RouteMatch | undefined {
    const clean = needsCleaning(path) ? cleanPath(path) : path;
    return this.#match(method, clean) ?? (clean.endsWith("/") ? this.#match(method, clean.slice(0, -1)) : undefined);
  }

  #match(method: string, path: string): RouteMatch | undefined {
    const segments = path.split("/");
    const values: string[] = [];
    const leaf = search(this.#root, method, segments, 1, values);
    if (leaf === undefined) {
      return undefined;
    }
    const params: Record<string, string> = {};
    for (let index = 0; index < leaf.names.length; index += 1) {
      params[leaf.names[index] ?? ""] = unescapeValue(values[index] ?? "");
    }
    return { route: leaf.route, params };
  }

  #add(route: Route): void {
    let node = this.#root;
    const names: string[] = [];
    const segments = route.path.split("/").slice(1);
    for (const segment of segments) {
      if (segment === "*") {
        names.push("*");
        addLeaf(node.rest, route, names);
        return;
      }
      if (segment.startsWith(":")) {
        names.push(segment.slice(1));
        node.place ??= newNode();
        node = node.place;
      } else {
        let next = node.literal.get(segment);
        if (next === undefined) {
          next = newNode();
          node.literal.set(segment, next);
        }
        node = next;
      }
    }
    addLeaf(node.methods, route, names);
  }
}

/** Any method stands under the key `*`. */
function addLeaf(table: Map<string, Leaf>, route: Route, names: readonly string[]): void {
  for (const method of route.methods) {
    if (table.has(method)) {
      throw new Error(`two routes for ${method} ${route.path}`);
    }
    table.set(method, { route, names });
  }
}

function search(
  node: Node,
  method: string,
  segments: readonly string[],
  index: number,
  values: string[],
): Leaf | undefined {
  if (index === segments.length) {
    return node.methods.get(method) ?? node.methods.get("*");
  }
  const segment = segments[index] ?? "";
  const literal = node.literal.get(segment);
  if (literal !== undefined) {
    const leaf = search(literal, method, segments, index + 1, values);
    if (leaf !== undefined) {
      return leaf;
    }
  }
  if (node.place !== undefined && segment !== "") {
    values.push(segment);
    const leaf = search(node.place, method, segments, index + 1, values);
    if (leaf !== undefined) {
      return leaf;
    }
    values.pop();
  }
  const rest = node.rest.get(method) ?? node.rest.get("*");
  if (rest !== undefined) {
    values.push(segments.slice(index).join("/"));
  }
  return rest;
}

function newNode(): Node {
  return { literal: new Map(), place: undefined, methods: new Map(), rest: new Map() };
}

function needsCleaning(path: string): boolean {
  return path.includes("//") || path.includes("/.");
}

/** Go's path.Clean: repeated slashes, `.` and `..` resolved, no trailing slash. */
function cleanPath(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") {
      kept.pop();
    } else if (segment !== "" && segment !== ".") {
      kept.push(segment);
    }
  }
  return `/${kept.join("/")}`;
}

function unescapeValue(text: string): string {
  if (!text.includes("%") && !text.includes("+")) {
    return text;
  }
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw new BadEscapeError(`invalid URL escape in ${JSON.stringify(text)}`);
  }
}
