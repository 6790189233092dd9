/** How a segment of an operation's name is matched. */
type SegmentKind =
  /** As it stands. */
  | "literal"
  /** `*`: any one segment, but only as the last of a path. */
  | "last"
  /** `**`: any segment. */
  | "any"
  /** With `*` for any characters within the segment. */
  | "glob";

class TrieNode<T> {
  readonly text: string;
  readonly kind: SegmentKind;
  /** Of a glob: what stands between its stars. */
  readonly pieces: readonly string[];
  /** Place among the siblings. */
  readonly position: number;
  value: T | undefined = undefined;
  readonly byText = new Map<string, TrieNode<T>>();
  /** The children that are no literals, in the order in which they were added. */
  readonly patterns: TrieNode<T>[] = [];
  /** What a path that ends here, without a value, finds instead: the first child that matches `*`. */
  forEnd: TrieNode<T> | undefined = undefined;

  constructor(text: string, position: number) {
    this.text = text;
    this.position = position;
    this.kind = kindOf(text);
    this.pieces = this.kind === "glob" ? text.split("*") : [];
  }
}

/**
 * Operations by their names, matched as Dapr's access control matches them (pkg/config/acl_trie.go of 1.18.3). Order
 * counts: of the siblings that match a segment the first one added is taken, and there is no way back. A path that gets
 * to a node with a value has found it, also when it goes on, except at a last `*`: `/a` is all below `/a`, too. Both `/a/*`
 * and `/a/**` match `/a` itself. `*` before the end of a name matches nothing but a star, and `**` there is one segment.
 */
export class OperationTrie<T> {
  readonly #root = new TrieNode<T>("", 0);

  /** @param name begins with a slash. @returns the value of the same name that was there before and stays, as in Dapr */
  put(name: string, value: T): T | undefined {
    let node = this.#root;
    for (const text of name.slice(1).split("/")) {
      node = node.byText.get(text) ?? addChild(node, text);
    }
    const before = node.value;
    node.value = before ?? value;
    return before;
  }

  /** @param path begins with a slash */
  find(path: string): T | undefined {
    let node = this.#root;
    for (let start = 1; ;) {
      const slash = path.indexOf("/", start);
      const isLast = slash === -1;
      const found = childFor(node, isLast ? path.slice(start) : path.slice(start, slash), isLast);
      if (found === undefined) {
        return undefined;
      }
      if (isLast) {
        return found.value ?? found.forEnd?.value;
      }
      if (found.value !== undefined && found.kind !== "last") {
        return found.value;
      }
      node = found;
      start = slash + 1;
    }
  }
}

function kindOf(text: string): SegmentKind {
  if (text === "*") return "last";
  if (text === "**") return "any";
  return text.includes("*") ? "glob" : "literal";
}

function addChild<T>(parent: TrieNode<T>, text: string): TrieNode<T> {
  const child = new TrieNode<T>(text, parent.byText.size);
  parent.byText.set(text, child);
  if (child.kind !== "literal") {
    parent.patterns.push(child);
    if (parent.forEnd === undefined && matchesSegment(child, "*", true)) {
      parent.forEnd = child;
    }
  }
  return child;
}

function childFor<T>(node: TrieNode<T>, segment: string, isLast: boolean): TrieNode<T> | undefined {
  const same = node.byText.get(segment);
  for (const pattern of node.patterns) {
    if (same !== undefined && pattern.position >= same.position) {
      break;
    }
    if (matchesSegment(pattern, segment, isLast)) {
      return pattern;
    }
  }
  return same;
}

function matchesSegment(pattern: TrieNode<unknown>, segment: string, isLast: boolean): boolean {
  switch (pattern.kind) {
    case "last":
      return isLast;
    case "any":
      return true;
    case "glob":
      return matchesGlob(pattern.pieces, segment);
    case "literal":
      return pattern.text === segment;
  }
}

/** Whether a text begins with the first piece, ends with the last one and has the others in between, in their order. */
function matchesGlob(pieces: readonly string[], text: string): boolean {
  const first = pieces[0] ?? "";
  const last = pieces.at(-1) ?? "";
  const end = text.length - last.length;
  if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) {
    return false;
  }
  let from = first.length;
  for (let index = 1; index < pieces.length - 1; index += 1) {
    const piece = pieces[index] as string;
    const at = text.indexOf(piece, from);
    if (at === -1 || at + piece.length > end) {
      return false;
    }
    from = at + piece.length;
  }
  return true;
}
