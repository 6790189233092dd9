/** Thrown for a pattern that Go's ServeMux refuses, or one that fits the same paths as another. */
export class PathPatternError extends Error {
  override readonly name = "PathPatternError";
}

interface PatternNode {
  readonly literals: Map<string, PatternNode>;
  wildcard: PatternNode | undefined;
  /** A `{rest...}` or a trailing slash here: fits whatever follows. */
  rest: Leaf | undefined;
  leaf: Leaf | undefined;
}

interface Leaf {
  readonly pattern: string;
  readonly slashes: number;
  /** Ends in `{rest...}` or a trailing slash. */
  readonly open: boolean;
}

/**
 * Path patterns in the syntax of Go's `http.ServeMux` (since 1.22): `/orders/{id}`, `/files/{path...}`, `/exact/{$}`, and
 * a trailing slash for everything below. The most specific pattern wins.
 */
export class PathPatterns {
  readonly #root: PatternNode = emptyNode();

  /** @throws PathPatternError */
  constructor(patterns: Iterable<string>) {
    for (const pattern of patterns) {
      this.#add(pattern);
    }
  }

  /** The pattern that fits a path with a leading slash; a path without its trailing slash fits as Go redirects it. */
  match(path: string): string | undefined {
    const found = find(this.#root, path, 0);
    if (found !== undefined && !found.open) {
      return found.pattern;
    }
    if (!path.endsWith("/")) {
      const below = find(this.#root, `${path}/`, 0);
      if (below !== undefined && (!below.open || below.slashes === countSlashes(path) + 1)) {
        return below.pattern;
      }
    }
    return found?.pattern;
  }

  #add(pattern: string): void {
    const segments = pattern.split("/").slice(1);
    let node = this.#root;
    for (const [index, segment] of segments.entries()) {
      const last = index === segments.length - 1;
      if (last && (segment === "" || /^\{\w+\.\.\.\}$/.test(segment))) {
        node.rest = claim(node.rest, { pattern, slashes: segments.length, open: true });
        return;
      }
      node = child(node, segment, pattern, last);
    }
    node.leaf = claim(node.leaf, { pattern, slashes: segments.length, open: false });
  }
}

function child(node: PatternNode, segment: string, pattern: string, last: boolean): PatternNode {
  if (/^\{\w+\}$/.test(segment)) {
    return (node.wildcard ??= emptyNode());
  }
  if (/[{}]/.test(segment) && !(last && segment === "{$}")) {
    throw new PathPatternError(`path pattern "${pattern}": "${segment}" is no valid segment`);
  }
  const literal = segment === "{$}" ? "/" : segment;
  const known = node.literals.get(literal) ?? emptyNode();
  node.literals.set(literal, known);
  return known;
}

function claim(taken: Leaf | undefined, leaf: Leaf): Leaf {
  if (taken !== undefined && taken.pattern !== leaf.pattern) {
    throw new PathPatternError(`path pattern "${leaf.pattern}" fits the same paths as "${taken.pattern}"`);
  }
  return leaf;
}

/** `at` is the index of a slash, or the path's length. */
function find(node: PatternNode, path: string, at: number): Leaf | undefined {
  if (at >= path.length) {
    return node.leaf;
  }
  const trailing = at === path.length - 1;
  const next = trailing ? path.length : endOfSegment(path, at + 1);
  const segment = trailing ? "/" : path.slice(at + 1, next);
  const literal = node.literals.get(segment);
  const byLiteral = literal === undefined ? undefined : find(literal, path, next);
  if (byLiteral !== undefined) {
    return byLiteral;
  }
  const byWildcard = trailing || node.wildcard === undefined ? undefined : find(node.wildcard, path, next);
  return byWildcard ?? node.rest;
}

function endOfSegment(path: string, from: number): number {
  const slash = path.indexOf("/", from);
  return slash === -1 ? path.length : slash;
}

function countSlashes(path: string): number {
  return path.split("/").length - 1;
}

function emptyNode(): PatternNode {
  return { literals: new Map(), wildcard: undefined, rest: undefined, leaf: undefined };
}
