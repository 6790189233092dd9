const ASCII = /^[\0-\x7f]*$/;

/** The only letter that JavaScript makes two of where Go makes one. */
const CAPITAL_I_WITH_DOT = "\u0130";

/** Lower case as Go's strings.ToLower makes it: character by character, whatever stands around it. */
export function goLowerCase(text: string): string {
  if (ASCII.test(text)) {
    return text.toLowerCase();
  }
  let lower = "";
  for (const character of text) {
    lower += character === CAPITAL_I_WITH_DOT ? "i" : character.toLowerCase();
  }
  return lower;
}
