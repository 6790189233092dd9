import { errorMessage } from "../../kit/error-message.ts";
import { compileGoRegexp } from "../../kit/go-regexp.ts";
import { decodedPath } from "../../net/http/request-target.ts";

/** Whether a request's target is one that the filter is about; without a filter all are. @throws Error for a pattern that is none */
export function pathFilter(pattern: string | undefined): (target: string) => boolean {
  if (pattern === undefined) {
    return () => true;
  }
  try {
    const compiled = compileGoRegexp(pattern);
    return (target) => compiled.test(decodedPath(target));
  } catch (cause) {
    throw new Error(`Parameter 'pathFilter' is not a valid regex: ${errorMessage(cause)}. `, { cause });
  }
}
