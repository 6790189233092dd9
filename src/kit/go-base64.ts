const DIGIT = /[A-Za-z0-9+/]/;
const GROUP_DIGITS = 4;

/**
 * Decodes base64 as strictly as Go's `base64.StdEncoding`: padding must be there and nothing may follow it; line breaks
 * are passed over.
 * @returns the bytes, or the offset of the character that Go names in its error
 */
export function decodeGoBase64(text: string): Buffer | number {
  let digits = "";
  let at = 0;
  const skipBreaks = (): void => {
    while (text[at] === "\n" || text[at] === "\r") at += 1;
  };
  for (;;) {
    skipBreaks();
    const character = text[at];
    const inGroup = digits.length % GROUP_DIGITS;
    if (character === undefined) {
      return inGroup === 0 ? Buffer.from(digits, "base64") : at - inGroup;
    }
    at += 1;
    if (DIGIT.test(character)) {
      digits += character;
    } else if (character !== "=" || inGroup < 2) {
      return at - 1;
    } else {
      return afterPadding(inGroup);
    }
  }

  /** A group of two digits needs a second sign; then the text has to end. */
  function afterPadding(inGroup: number): Buffer | number {
    skipBreaks();
    if (inGroup === 2) {
      if (at === text.length) return at;
      if (text[at] !== "=") return at - 1;
      at += 1;
      skipBreaks();
    }
    return at < text.length ? at : Buffer.from(digits, "base64");
  }
}
