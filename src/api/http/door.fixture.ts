import { collectBody } from "../../app/body.ts";
import type { ApiError } from "../../errors/error.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { callInProcess } from "../../net/http/in-process.ts";
import type { HeaderList } from "../../net/http/types.ts";
import { createHttpDoor, type HttpDoorOptions } from "./door.ts";

/** An answer as a test looks at it. */
export interface DoorAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly text: string;
}

/** A door and what its observer was told. */
export interface TestDoor {
  call(method: string, target: string, headers?: HeaderList, body?: string): Promise<DoorAnswer>;
  /** `<route name or ->: <path> <status>` of every exchange. */
  readonly done: readonly string[];
  readonly errors: readonly ApiError[];
}

/** A door whose fallback answers 299, so that a test sees what reached it. */
export function testDoor(options: Partial<HttpDoorOptions>): TestDoor {
  const done: string[] = [];
  const errors: ApiError[] = [];
  const door = createHttpDoor({
    routes: [],
    fallback: (exchange) => exchange.respond(299, [], "fallback"),
    apiToken: "",
    allowedOrigins: "",
    accessRules: { allowed: [], denied: [] },
    observer: {
      exchangeDone: (exchange, route, path) =>
        void done.push(`${route?.name ?? "-"}: ${path} ${exchange.responseStatus}`),
      errorAnswered: (error) => void errors.push(error),
    },
    clock: new VirtualClock(),
    logger: silentLogger,
    ...options,
  });
  return {
    async call(method, target, headers = [], body = "") {
      const response = await callInProcess(door, { method, target, headers, body: Buffer.from(body) });
      return {
        status: response.status,
        headers: response.headers,
        text: Buffer.from(await collectBody(response.body, 1024 * 1024)).toString(),
      };
    },
    done,
    errors,
  };
}
