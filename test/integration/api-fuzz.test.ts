import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bugsOf, fuzzedRoutes, GrpcJudge, grpcCase, httpCase, judgeHttp } from "../fuzz/api-fuzz.ts";
import { type FuzzedSidecar, startFuzzed } from "../fuzz/fuzzed-sidecar.ts";
import "../property-seed.ts";

/** `node test/fuzz/run-api.ts` is the long form. */
const HTTP_REQUESTS = 4_000;
const GRPC_CALLS = 1_500;

describe("whatever is sent to the API", () => {
  let fuzzed: FuzzedSidecar;
  beforeAll(async () => {
    fuzzed = await startFuzzed();
  });
  afterAll(async () => {
    await fuzzed[Symbol.asyncDispose]();
  });

  it("every HTTP route answers, with an error of the catalogue where it is one", async () => {
    const routes = fuzzedRoutes();
    expect(routes.length).toBeGreaterThan(40);
    await fc.assert(
      fc.asyncProperty(httpCase(routes), async (one) => {
        expect(await judgeHttp(fuzzed.sidecar, one)).toBeUndefined();
        expect(bugsOf(fuzzed.sidecar)).toEqual([]);
      }),
      { numRuns: HTTP_REQUESTS, verbose: 1 },
    );
  });

  it("every RPC answers or ends, and nothing is a surprise to the door", async () => {
    const judge = new GrpcJudge(fuzzed.sidecar);
    await fc.assert(
      fc.asyncProperty(grpcCase(), async (one) => {
        expect(await judge.judge(one)).toBeUndefined();
        expect(bugsOf(fuzzed.sidecar)).toEqual([]);
      }),
      { numRuns: GRPC_CALLS, verbose: 1 },
    );
    await judge.close();
  });
});
