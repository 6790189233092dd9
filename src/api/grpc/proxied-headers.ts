import type { HeaderList } from "../../net/http/types.ts";

/** What each hop says for itself, and what only this sidecar was told. */
const OWN = ["te", "user-agent", "grpc-timeout", "dapr-app-id", "dapr-api-token"];

/** What only a sidecar may say of who calls whom. */
const IDENTITY = ["dapr-caller-app-id", "dapr-caller-namespace", "dapr-callee-app-id"];

export const DROPPED_FROM_APPS: ReadonlySet<string> = new Set([...OWN, ...IDENTITY]);
export const DROPPED_FROM_PEERS: ReadonlySet<string> = new Set(OWN);

/** The headers of a call that is passed on, without some. */
export function passedHeaders(headers: HeaderList, dropped: ReadonlySet<string>): string[] {
  const passed: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] as string;
    if (!dropped.has(name)) {
      passed.push(name, headers[index + 1] as string);
    }
  }
  return passed;
}
