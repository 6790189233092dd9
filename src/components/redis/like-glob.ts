/**
 * A pattern of SQL's LIKE as one of Redis's globs: `%` becomes `*`, `_` becomes `?` (one byte), what is special to
 * globs is taken literally.
 */
export function likeToGlob(pattern: string): string {
  let glob = "";
  let escaped = false;
  for (const character of pattern) {
    if (!escaped && character === "\\") {
      escaped = true;
      continue;
    }
    if (!escaped && character === "%") {
      glob += "*";
    } else if (!escaped && character === "_") {
      glob += "?";
    } else {
      glob += literalGlob(character);
    }
    escaped = false;
  }
  return escaped ? `${glob}\\\\` : glob;
}

/** A glob that matches the text and nothing else. */
export function literalGlob(text: string): string {
  return text.replace(/[*?[\]\\^]/g, "\\$&");
}
