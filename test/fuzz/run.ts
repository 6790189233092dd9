// `node test/fuzz/run.ts --connections 300000 --seed 1`: the long form of test/integration/http2-mutations.test.ts.
import { parseArgs } from "node:util";
import { fuzz } from "./http2-mutations.ts";
import { record } from "./recordings.ts";

const { values } = parseArgs({
  options: {
    connections: { type: "string", default: "300000" },
    seed: { type: "string", default: String(Date.now() % 1e9) },
  },
});
const seed = Number(values.seed);
process.stdout.write(`seed ${seed}\n`);
const before = process.memoryUsage.rss();
const { rechunked, mutated } = await fuzz(await record(), Number(values.connections), seed);
const grownMb = (process.memoryUsage.rss() - before) / 2 ** 20;
process.stdout.write(
  `${rechunked} connections in other pieces and ${mutated} mutated ones, each fed twice: no difference, no exception; memory grew by ${grownMb.toFixed(0)} MB\n`,
);
process.exit(0);
