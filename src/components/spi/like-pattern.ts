type Token = string | typeof ANY_TEXT | typeof ANY_CHARACTER;

const ANY_TEXT = Symbol("%");
const ANY_CHARACTER = Symbol("_");

/** Matches texts against a pattern of SQL's LIKE. Time is at most the product of the two lengths, whatever the pattern. */
export class LikePattern {
  readonly #tokens: readonly Token[];

  constructor(pattern: string) {
    this.#tokens = tokensOf(pattern);
  }

  matches(text: string): boolean {
    const tokens = this.#tokens;
    const characters = Array.from(text);
    let token = 0;
    let at = 0;
    let lastAnyText = -1;
    let retryAt = 0;
    while (at < characters.length) {
      const expected = tokens[token];
      if (expected === ANY_TEXT) {
        lastAnyText = token;
        retryAt = at;
        token += 1;
      } else if (expected === ANY_CHARACTER || expected === characters[at]) {
        token += 1;
        at += 1;
      } else if (lastAnyText === -1) {
        return false;
      } else {
        token = lastAnyText + 1;
        retryAt += 1;
        at = retryAt;
      }
    }
    return tokens.slice(token).every((rest) => rest === ANY_TEXT);
  }
}

function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = [];
  let escaped = false;
  for (const character of pattern) {
    if (escaped || !(character === "\\" || character === "%" || character === "_")) {
      tokens.push(character);
      escaped = false;
    } else if (character === "\\") {
      escaped = true;
    } else {
      tokens.push(character === "%" ? ANY_TEXT : ANY_CHARACTER);
    }
  }
  if (escaped) {
    tokens.push("\\");
  }
  return tokens;
}
