// `node test/fuzz/run-api.ts --requests 1000000 --calls 300000 --seed 1`: the long form of test/integration/api-fuzz.test.ts.
import { parseArgs } from "node:util";
import fc from "fast-check";
import { bugsOf, fuzzedRoutes, GrpcJudge, grpcCase, httpCase, judgeHttp } from "./api-fuzz.ts";
import { startFuzzed } from "./fuzzed-sidecar.ts";

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "300000" },
    calls: { type: "string", default: "100000" },
    seed: { type: "string", default: String(Date.now() % 1e9) },
  },
});
const seed = Number(values.seed);
process.stdout.write(`seed ${seed}\n`);
process.on("unhandledRejection", (error) => {
  throw error;
});

await using fuzzed = await startFuzzed();
const { sidecar } = fuzzed;
const check = async (judged: Promise<string | undefined>): Promise<void> => {
  const wrong = (await judged) ?? bugsOf(sidecar)[0];
  if (wrong !== undefined) throw new Error(wrong);
};
await fc.assert(
  fc.asyncProperty(httpCase(fuzzedRoutes()), (one) => check(judgeHttp(sidecar, one))),
  { numRuns: Number(values.requests), seed },
);
process.stdout.write(`${values.requests} HTTP requests: all answered, every error in the catalogue\n`);
const judge = new GrpcJudge(sidecar);
await fc.assert(
  fc.asyncProperty(grpcCase(), (one) => check(judge.judge(one))),
  { numRuns: Number(values.calls), seed },
);
await judge.close();
process.stdout.write(`${values.calls} gRPC calls: all answered or ended\n`);
