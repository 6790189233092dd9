const SPECIAL = /[*#$@!?\-0-9]/;
const NAME = /[A-Za-z0-9_]*/y;

/**
 * Replaces `$VAR` and `${VAR}` with the variable's value, empty when it is not set: Go's `os.ExpandEnv`, with its ways
 * of shell's special variables (`$1`, `$$`: empty) and of broken references (`${}` and an unclosed `${` vanish).
 */
export function expandEnvironment(text: string, environment: Readonly<Record<string, string | undefined>>): string {
  let expanded = "";
  let from = 0;
  for (;;) {
    const dollar = text.indexOf("$", from);
    if (dollar === -1 || dollar === text.length - 1) {
      return expanded + text.slice(from);
    }
    const { name, length } = readName(text, dollar + 1);
    const kept = name === "" && length === 0 ? "$" : "";
    expanded += text.slice(from, dollar) + kept + (name === "" ? "" : (environment[name] ?? ""));
    from = dollar + 1 + length;
  }
}

/** The name after a dollar sign and how many characters it takes; an empty name with a length is a broken reference. */
function readName(text: string, at: number): { readonly name: string; readonly length: number } {
  if (text[at] === "{") {
    if (SPECIAL.test(text[at + 1] ?? "") && text[at + 2] === "}") {
      return { name: text[at + 1] ?? "", length: 3 };
    }
    const end = text.indexOf("}", at);
    if (end === -1) {
      return { name: "", length: 1 };
    }
    return { name: text.slice(at + 1, end), length: end - at + 1 };
  }
  if (SPECIAL.test(text[at] ?? "")) {
    return { name: text[at] ?? "", length: 1 };
  }
  NAME.lastIndex = at;
  const name = NAME.exec(text)?.[0] ?? "";
  return { name, length: name.length };
}
