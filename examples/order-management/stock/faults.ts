import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { seededRandom } from "../replay/seeded-random.ts";

/** Holds the faults as JSON: `{"share": 0.3, "stallSeconds": 60, "calls": 500, "seed": 1}`. Without it there are none. */
export const FAULTS_VARIABLE = "ORDER_STOCK_FAULTS";

const faultsSchema = z.strictObject({
  /** Of the calls that are hit: one half fails, the other half stalls. */
  share: z.number().min(0).max(1),
  /** How long a call stalls before it is carried out, whether or not its caller still waits. */
  stallSeconds: z.number().positive(),
  /** Calls from the start of the service until nothing is hit any more; without it, faults last for ever. */
  calls: z.int().positive().optional(),
  seed: z.int(),
});
export type Faults = z.infer<typeof faultsSchema>;

/** What becomes of one call. */
export type Fate = "served" | "failed" | "stalled";

/** @throws ZodError or SyntaxError for a text that describes no faults */
export function parseFaults(text: string | undefined): Faults | undefined {
  return text === undefined || text === "" ? undefined : faultsSchema.parse(JSON.parse(text));
}

/** Draws the fate of one call after the other, the same ones for a seed. */
export function fatesOf({ share, calls = Number.POSITIVE_INFINITY, seed }: Faults): () => Fate {
  const random = seededRandom(seed);
  let drawn = 0;
  return () => {
    if (++drawn > calls) return "served";
    const at = random();
    if (at >= share) return "served";
    return at < share / 2 ? "failed" : "stalled";
  };
}

/** The part of an Express application that faults stand in front of. */
interface Application {
  use(handle: (request: Request, response: Response, next: () => void) => void): void;
}
interface Request {
  readonly method: string;
  readonly path: string;
}
interface Response {
  status(code: number): { json(body: object): void };
}

/** To fill the shelves is where a replay begins, not part of it. */
const CALL = /^PUT \/actors\/[^/]+\/[^/]+\/method\/(?!open$)/;
const FAILURE = 500;

/**
 * Has calls fail or stall before the application sees them, as if the service or the way to it were ill. What the runtime
 * itself asks of the service (its health, its actor types) is always answered, and so is what fills the shelves. To be
 * called before anything is served.
 */
export function serveFaults(application: Application, faults: Faults): void {
  const next = fatesOf(faults);
  application.use(({ method, path }, response, serve) => {
    const fate = CALL.test(`${method} ${path}`) ? next() : "served";
    if (fate === "failed") response.status(FAILURE).json({ fault: "asked for by the environment" });
    else if (fate === "stalled") void delay(faults.stallSeconds * 1_000, undefined, { ref: false }).then(serve);
    else serve();
  });
}
