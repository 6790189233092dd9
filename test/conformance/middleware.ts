import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ComponentManifest, ComponentMetadata } from "../../src/components/spi/component.ts";
import { middlewareDeps } from "../../src/components/spi/middleware.fixture.ts";
import type { HttpMiddleware, MiddlewareRequest } from "../../src/components/spi/middleware.ts";
import { wholeBody } from "../../src/components/spi/whole-body.ts";
import { capabilitySections } from "./sections.ts";

/** How a middleware is brought up for the suite. */
export interface MiddlewareConformance {
  readonly manifest: ComponentManifest<HttpMiddleware>;
  readonly metadata: () => ComponentMetadata | Promise<ComponentMetadata>;
  /** Metadata that `init` has to refuse; undefined: there is none. */
  readonly refused?: ComponentMetadata;
  /** A request that is passed on with its body unchanged. */
  readonly passing?: () => Partial<MiddlewareRequest> | Promise<Partial<MiddlewareRequest>>;
  /** One that is answered by the middleware itself; undefined: there is none. */
  readonly answered?: { readonly request: Partial<MiddlewareRequest>; readonly status: number };
}

const REQUEST: MiddlewareRequest = {
  method: "POST",
  target: "/v1.0/invoke/app/method/m?q=1",
  headers: ["content-type", "text/plain"],
  body: new Uint8Array(0),
  remoteAddress: "192.0.2.1",
  protocol: "HTTP/1.1",
  bodyBytesMax: 1024 * 1024,
};

/** The contract of a middleware as cases. */
export function middlewareConformance({
  manifest,
  metadata,
  refused,
  passing = () => ({}),
  answered,
}: MiddlewareConformance): void {
  describe(`${manifest.type} keeps the contract of middlewares`, () => {
    let middleware: HttpMiddleware;
    const signal = new AbortController().signal;

    beforeEach(async () => {
      middleware = (await manifest.load())(middlewareDeps().deps);
      await middleware.init(await metadata(), signal);
    });

    afterEach(async () => {
      await middleware.close();
    });

    capabilitySections(manifest, {}, () => middleware);

    const given = async (rest: Partial<MiddlewareRequest> = {}): Promise<MiddlewareRequest> => ({
      ...REQUEST,
      ...(await passing()),
      ...rest,
    });

    test("a second close is harmless, and so is one without init or after a failed one", async () => {
      await middleware.close();
      await middleware.close();
      await (await manifest.load())(middlewareDeps().deps).close();
      if (refused !== undefined) {
        const broken = (await manifest.load())(middlewareDeps().deps);
        await expect(broken.init(refused, signal)).rejects.toMatchObject({ name: "ComponentError" });
        await broken.close();
      }
    });

    test("what it passes on is one request, whose answer comes back", async () => {
      let calls = 0;
      const response = await middleware.handle(await given(), async () => {
        calls += 1;
        return { status: 299, headers: ["x-app", "1"], body: Buffer.from("ANSWER") };
      });
      expect([calls, response.status, Buffer.from(await wholeBody(response.body, 0)).toString()]).toEqual([
        1,
        299,
        "ANSWER",
      ]);
      expect(response.headers.join(" ")).toContain("x-app 1");
    });

    test("streams go through it piece by piece, in both directions", async () => {
      const pieces = async function* () {
        yield Buffer.from("ONE ");
        yield Buffer.from("TWO");
      };
      let sent = "";
      const response = await middleware.handle(await given({ body: pieces() }), async ({ body }) => {
        sent = Buffer.from(await wholeBody(body, 0)).toString();
        return { status: 200, headers: [], body: pieces() };
      });
      expect([sent, Buffer.from(await wholeBody(response.body, 0)).toString()]).toEqual(["ONE TWO", "ONE TWO"]);
    });

    test("what the handler behind it throws comes out of it", async () => {
      const failing = middleware.handle(await given(), () => Promise.reject(new Error("the app is down")));
      await expect(failing).rejects.toThrow("the app is down");
    });

    test("requests at the same time do not mix", async () => {
      const answers = Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          const request = await given({ headers: [...(await given()).headers, "x-number", String(index)] });
          const { body } = await middleware.handle(request, async ({ headers }) => ({
            status: 200,
            headers: [],
            body: Buffer.from(headers[headers.lastIndexOf("x-number") + 1] ?? ""),
          }));
          return Buffer.from(await wholeBody(body, 0)).toString();
        }),
      );
      expect(await answers).toEqual(Array.from({ length: 20 }, (_, index) => String(index)));
    });

    test("requests that are inside when it is closed end", async () => {
      const gate = Promise.withResolvers<void>();
      const inside = Promise.withResolvers<void>();
      const answer = middleware.handle(await given(), async () => {
        inside.resolve();
        await gate.promise;
        return { status: 200, headers: [], body: Buffer.from("LATE") };
      });
      await inside.promise;
      await middleware.close();
      gate.resolve();
      expect((await answer).status).toBe(200);
    });

    if (answered !== undefined) {
      test("a request that it answers itself reaches nobody else", async () => {
        let calls = 0;
        const response = await middleware.handle(await given(answered.request), async () => {
          calls += 1;
          return { status: 200, headers: [], body: new Uint8Array(0) };
        });
        expect([calls, response.status]).toEqual([0, answered.status]);
      });
    }
  });
}
