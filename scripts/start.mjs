// `npm start`: installs if needed, then runs the reference application, with what follows `--` as its arguments.
import { handOver, install } from "./bootstrap.mjs";

install();
handOver("examples/order-management/start.ts", process.argv.slice(2));
