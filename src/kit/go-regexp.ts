import { RE2JS } from "re2js";

/** Characters of a pattern; what is longer was not written by a person, and would take long to compile. */
const PATTERN_CHARACTERS_MAX = 4096;

/** A pattern in the syntax of Go's regexp package (RE2), which takes time linear in the text whatever the pattern. */
export interface GoRegexp {
  /** Whether the pattern is found anywhere in the text. */
  test(text: string): boolean;
  /** The values of the capture groups of the first find, in their order; undefined where the pattern is not found. */
  groups(text: string): readonly string[] | undefined;
}

/** @throws Error saying what is wrong with the pattern */
export function compileGoRegexp(pattern: string): GoRegexp {
  if (pattern.length > PATTERN_CHARACTERS_MAX) {
    throw new Error(`the pattern has ${pattern.length} characters, more than the limit of ${PATTERN_CHARACTERS_MAX}`);
  }
  const compiled = RE2JS.compile(pattern);
  return {
    test: (text) => compiled.test(text),
    groups(text) {
      const matcher = compiled.matcher(text);
      if (!matcher.find()) {
        return undefined;
      }
      return Array.from({ length: matcher.groupCount() }, (_, index) => matcher.group(index + 1) ?? "");
    },
  };
}

/** A text as a pattern that matches it alone. */
export function quoteForGoRegexp(text: string): string {
  return RE2JS.quote(text);
}
