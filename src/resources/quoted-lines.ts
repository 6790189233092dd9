/**
 * Go's YAML parser lets the further lines of a quoted text begin at any column, and with tabs; ours wants them indented
 * deeper than the key. Since the white space before them means nothing, it is replaced.
 * @param from a place in the line that the quoted text begins in, behind its opening quote
 * @param column spaces that are enough
 * @returns undefined when the quote is never closed
 */
export function indentQuotedLines(text: string, from: number, quote: "'" | '"', column: number): string | undefined {
  const firstEnd = text.indexOf("\n", from);
  const end = firstEnd === -1 ? -1 : closingQuote(text, firstEnd + 1, quote);
  if (end === -1) {
    return undefined;
  }
  const lines = text.slice(firstEnd + 1, end);
  const padding = " ".repeat(column);
  // A line of nothing but white space is a line break of the text.
  const indented = lines.replace(/^[ \t]*(?=[^\s])/gm, padding).replace(/^[ \t]*$/g, padding);
  return text.slice(0, firstEnd + 1) + indented + text.slice(end);
}

function closingQuote(text: string, from: number, quote: "'" | '"'): number {
  for (let at = from; at < text.length; at += 1) {
    if (quote === '"' && text[at] === "\\") {
      at += 1;
    } else if (text[at] === quote) {
      if (quote === '"' || text[at + 1] !== "'") {
        return at;
      }
      at += 1;
    }
  }
  return -1;
}
