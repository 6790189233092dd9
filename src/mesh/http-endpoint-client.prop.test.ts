import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalMethod, InvalidMethodError } from "../blocks/invocation/method-path.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { HttpEndpointClient } from "./http-endpoint-client.ts";

/** Pieces that paths are attacked with, between pieces of any text. */
const piece = fc.oneof(
  fc.constantFrom("/", "..", ".", "%2e", "%2E", "%2f", "%252e%252e", "%25", "\\", ";", "@", "//", "?", "#", "public"),
  fc.string({ unit: "binary", maxLength: 4 }),
);

/** The path that the server is asked for, undefined when the method is refused. */
async function targetOf(method: string): Promise<string | undefined> {
  let target: string | undefined;
  const client = new HttpEndpointClient(
    { name: "e", baseUrl: "https://shop.example/tenants/7", headers: [], tls: undefined },
    {
      connect: () =>
        Promise.resolve({
          request: (request) => {
            target = request.target;
            return Promise.resolve({ status: 200, headers: [], body: new Uint8Array(0) });
          },
          close: () => Promise.resolve(),
        }),
      clock: new VirtualClock(),
    },
  );
  const call = {
    verb: "GET",
    query: "",
    headers: [],
    origin: "http",
    contentType: "",
    body: new Uint8Array(0),
  } as const;
  try {
    await client.invoke({ ...call, method: canonicalMethod(method) });
  } catch (error) {
    if (!(error instanceof InvalidMethodError) && !(error as Error).message.includes("invalid URL escape")) {
      throw error;
    }
  }
  return target;
}

test("no method leads out of an endpoint's base path, however it is written", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (pieces) => {
      const target = await targetOf(pieces.join(""));
      if (target !== undefined) {
        // A URL parser reads %2e as a dot, and so does a server that decodes first and looks for segments then.
        expect(new URL(target, "https://shop.example").pathname).toMatch(/^\/tenants\/7(\/|$)/);
        const decoded = target.replaceAll(/%2f/gi, "/").replaceAll(/%2e/gi, ".");
        expect(`${decoded}/`).not.toMatch(/\/\.\.?\//);
        expect(target).not.toMatch(/[\r\n\0 ]/);
      }
    }),
    { numRuns: 2_000 },
  );
});
