import type { Examination } from "../examination.ts";
import type { Finding } from "../finding.ts";

/** Answers that are asked of each; the header `date` has whole seconds only. */
const SAMPLES = 3;
const WARNING_MS = 2_000;
/** Tokens and certificates are valid from a moment on, and locks and leases for seconds. */
const ERROR_MS = 30_000;

/** How far the clocks of sidecars are from this one, beyond what header and way explain. */
export async function checkClocks({ setUp, world }: Examination): Promise<readonly Finding[]> {
  const found = await Promise.all(
    setUp.sidecars.map(async ({ name, address }): Promise<readonly Finding[]> => {
      let least = Number.POSITIVE_INFINITY;
      for (let sample = 0; sample < SAMPLES; sample++) {
        const answer = await world.get(address, "/v1.0/healthz/outbound").catch(() => undefined);
        if (answer?.dateMs === undefined) return [];
        least = Math.min(least, skewMs(answer.dateMs, answer.sentMs, answer.receivedMs));
      }
      return least < WARNING_MS
        ? []
        : [
            {
              severity: least >= ERROR_MS ? "error" : "warning",
              app: name,
              what: `its clock and the one of this machine are at least ${Math.round(least / 1_000)} s apart`,
              where: `${address.host}:${address.port}`,
              why: "certificates, tokens, reminders and expiry times are off by as much",
              fix: "let both machines follow the same time servers",
            },
          ];
    }),
  );
  return found.flat();
}

/** At least so far apart: the other clock showed a moment within that second, at some time between the two. */
function skewMs(dateMs: number, sentMs: number, receivedMs: number): number {
  const behind = sentMs - (dateMs + 1_000);
  const ahead = dateMs - receivedMs;
  return Math.max(0, behind, ahead);
}
