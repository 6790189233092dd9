// Runs one of the project's scripts on the project's Node: `node scripts/run.mjs scripts/build.ts …`.
import { handOver, install } from "./bootstrap.mjs";

const [script, ...args] = process.argv.slice(2);
if (script === undefined) throw new Error("usage: node scripts/run.mjs <script> [argument …]");
install();
handOver(script, args);
