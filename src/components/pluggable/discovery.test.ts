import { beforeEach, expect, it } from "vitest";
import type { Logger } from "../../kit/logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import type { Transport, TransportStream } from "../../net/h2/transport.ts";
import { discover } from "./discovery.ts";
import { DISCOVERY_MS_MAX, DISCOVERY_RETRY_MS } from "./limits.ts";

const lines: string[] = [];
const keep = (message: string): void => void lines.push(message);
const logger: Logger = {
  debug: keep,
  info: keep,
  warn: keep,
  error: keep,
  fatal: keep,
  enabled: () => true,
  scope: () => logger,
};
beforeEach(() => void lines.splice(0));

const deaf: TransportStream = {
  respond: () => undefined,
  send: () => true,
  sendTrailers: () => undefined,
  reset: () => undefined,
  hold: () => undefined,
  resume: () => undefined,
};

/** A transport whose every connection is refused; counts the attempts and says when the client is closed. */
function refusing() {
  const seen = { attempts: 0, closed: 0 };
  const transport: Transport = {
    createServer: () => {
      throw new Error("nothing is served");
    },
    createClient: () => ({
      open: (_head, _endStream, handler) => {
        seen.attempts += 1;
        queueMicrotask(() => {
          handler.onConnectError?.(new Error("connection refused"));
          handler.onClose(-1);
        });
        return deaf;
      },
      close: async () => void (seen.closed += 1),
    }),
  };
  return { seen, transport };
}

it("a socket that nobody answers is tried for its time, then told and left out", async () => {
  const { seen, transport } = refusing();
  const clock = new VirtualClock();
  let manifests: unknown;
  const looking = discover(["/sockets/a.sock"], {
    folder: "/sockets",
    transport,
    messageBytesMax: 1_024,
    clock,
    logger,
  }).then((found) => {
    manifests = found;
  });
  for (let passed = 0; manifests === undefined && passed <= DISCOVERY_MS_MAX; passed += DISCOVERY_RETRY_MS) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(DISCOVERY_RETRY_MS);
  }
  await looking;
  expect(manifests).toEqual([]);
  expect(seen).toEqual({ attempts: DISCOVERY_MS_MAX / DISCOVERY_RETRY_MS, closed: 1 });
  expect(lines).toEqual([
    expect.stringMatching(
      /^could not initialize pluggable components of \/sockets\/a\.sock: unable to list services: rpc error: code = Unavailable .*if nobody serves the socket any more, remove the file$/,
    ),
  ]);
});
