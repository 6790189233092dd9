// The reservation cancellation: ends reservations that customers give up, and those that nobody commits in time.
import { createServer, runUntilStopped } from "../app-process.ts";
import { reservationCancelledSchema, reservationRequestedSchema } from "../model/messages.ts";
import { APPS, COMPONENTS, STOCK_METHODS, TOPICS } from "../model/names.ts";
import { releaseAnswerSchema, type ReleaseRequest } from "../model/stock-methods.ts";
import { call } from "../sdk/invocations.ts";
import { hear } from "../sdk/messages.ts";
import { DaprVersionedStore } from "../store/dapr-store.ts";
import { DueLedger } from "./due-ledger.ts";
import { Sweeper } from "./sweeper.ts";

const server = createServer("http");
const ledger = new DueLedger(new DaprVersionedStore(server.client, COMPONENTS.stateStore));

async function release(request: ReleaseRequest): Promise<void> {
  await call(server.client, APPS.stock, STOCK_METHODS.release, request, releaseAnswerSchema);
}

const sweeper = new Sweeper({
  ledger,
  release: async (reservationId) => await release({ reservationId, reason: "expired" }),
  now: Date.now,
});

await hear(server, TOPICS.reservationRequested, reservationRequestedSchema, async (reservation) => {
  await ledger.remember(reservation);
});
await hear(server, TOPICS.reservationCancelled, reservationCancelledSchema, async ({ reservationId }) => {
  await release({ reservationId, reason: "cancelled" });
});
// A sweep that fails is made again with the next tick.
await server.binding.receive(COMPONENTS.expirySweep, async () => await sweeper.sweep());

await runUntilStopped(server);
