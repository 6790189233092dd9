/** A fenced block of a document that says it works. */
export interface CodeBlock {
  /** Line of its fence, counted from 1. */
  readonly line: number;
  readonly language: string;
  readonly code: string;
}

/** The blocks that stand directly under `<!-- run -->`. Throws at a mark with no block under it. */
export function runnableBlocks(markdown: string): readonly CodeBlock[] {
  return [...markdown.matchAll(/^<!-- run -->[ \t]*$/gm)].map((mark) => {
    const after = markdown.slice(mark.index + mark[0].length);
    const block = /^\s*?\n```(\w+)\n([\s\S]*?)^```/m.exec(after);
    const line = markdown.slice(0, mark.index).split("\n").length + 1;
    if (block?.index !== 0) throw new Error(`line ${line}: no fenced block under <!-- run -->`);
    return { line, language: block[1] ?? "", code: block[2] ?? "" };
  });
}
