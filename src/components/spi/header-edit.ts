import { headerValue, isConnectionHeader } from "../../net/http/headers.ts";
import type { HeaderList } from "../../net/http/types.ts";
import { ComponentError } from "./errors.ts";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** The list without a header; `name` in lower case. */
export function withoutHeader(headers: HeaderList, name: string): HeaderList {
  if (headerValue(headers, name) === undefined) {
    return headers;
  }
  const kept: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if ((headers[index] as string).toLowerCase() !== name) {
      kept.push(headers[index] as string, headers[index + 1] as string);
    }
  }
  return kept;
}

/** The list with one more line of a header. @throws ComponentError as `checkHeader` */
export function withAddedHeader(headers: HeaderList, name: string, value: string): HeaderList {
  checkHeader(name, value);
  return [...headers, name, value];
}

/** The list with this value in place of all others of the header. @throws ComponentError as `checkHeader` */
export function withHeader(headers: HeaderList, name: string, value: string): HeaderList {
  return withAddedHeader(withoutHeader(headers, name.toLowerCase()), name, value);
}

/**
 * Refuses what would change where a message begins or ends: names and values that HTTP does not allow, the headers of a
 * connection, and lengths, which only the sender of a body knows.
 * @throws ComponentError `invalidRequest` naming the header, never its value
 */
export function checkHeader(name: string, value: string): void {
  const lower = name.toLowerCase();
  if (!TOKEN.test(name) || !VALUE.test(value)) {
    throw new ComponentError(
      "invalidRequest",
      `header ${JSON.stringify(name)} has a name or value that HTTP does not allow`,
    );
  }
  if (lower === "content-length" || isConnectionHeader(lower)) {
    throw new ComponentError("invalidRequest", `a middleware may not set the header ${lower}`);
  }
}
