// `npm test`: installs if needed, then runs the whole verification (scripts/verification.ts).
import { handOver, install } from "./bootstrap.mjs";

install();
handOver("scripts/verification.ts", process.argv.slice(2));
