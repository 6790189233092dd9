import { compileGoRegexp, quoteForGoRegexp } from "../../kit/go-regexp.ts";

/** A path with places, as gorilla/mux reads it. */
export interface PathTemplate {
  /** Name and value of each place, undefined for a path that does not match. */
  match(path: string): readonly (readonly [string, string])[] | undefined;
}

/** @throws Error saying what is wrong with the template */
export function compilePathTemplate(template: string): PathTemplate {
  const names: string[] = [];
  let pattern = "^";
  let end = 0;
  for (const [from, to] of places(template)) {
    const [name = "", ...rest] = template.slice(from + 1, to).split(":");
    const value = rest.length === 0 ? "[^/]+" : rest.join(":");
    if (name === "" || value === "") {
      throw new Error(`missing name or pattern in ${JSON.stringify(template.slice(from, to + 1))}`);
    }
    pattern += `${quoteForGoRegexp(template.slice(end, from))}(${value})`;
    names.push(name);
    end = to + 1;
  }
  const compiled = compileGoRegexp(`${pattern}${quoteForGoRegexp(template.slice(end))}$`);
  return {
    match(path) {
      const values = compiled.groups(path);
      if (values !== undefined && values.length !== names.length) {
        throw new Error(`the patterns of ${JSON.stringify(template)} may have no capturing groups: write (?:…)`);
      }
      return values?.map((value, index) => [names[index] ?? "", value]);
    },
  };
}

/** Where the outermost braces open and close. @throws Error when they do not */
function places(template: string): readonly (readonly [number, number])[] {
  const found: [number, number][] = [];
  let level = 0;
  let from = 0;
  for (let at = 0; at < template.length; at += 1) {
    if (template[at] === "{") {
      level += 1;
      from = level === 1 ? at : from;
    } else if (template[at] === "}") {
      level -= 1;
      if (level === 0) {
        found.push([from, at]);
      } else if (level < 0) {
        break;
      }
    }
  }
  if (level !== 0) {
    throw new Error(`unbalanced braces in ${JSON.stringify(template)}`);
  }
  return found;
}
