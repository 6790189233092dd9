// The stock service: hosts an actor for each stock code, which keeps its books.
import { createServer, runUntilStopped } from "../app-process.ts";
import { ACTORS, STOCK_METHODS } from "../model/names.ts";
import { openAnswerSchema, openingStockSchema, type StockCommands } from "../model/stock-commands.ts";
import { Actors } from "../sdk/actors.ts";
import { answer } from "../sdk/invocations.ts";
import { forEach } from "../sdk/lanes.ts";
import { FAULTS_VARIABLE, parseFaults, serveFaults } from "./faults.ts";
import { StockActor } from "./stock-actor.ts";

/** Shelves that are filled at a time. */
const OPENING_LANES = 16;

const server = createServer("http");
const faults = parseFaults(process.env[FAULTS_VARIABLE]);
if (faults !== undefined) serveFaults(server.daprServer.getServer() as Parameters<typeof serveFaults>[0], faults);
await server.actor.init();
await server.actor.registerActor(StockActor);

const stock = new Actors<StockCommands>(server.client, ACTORS.stock);
await answer(server, STOCK_METHODS.open, openingStockSchema, async ({ items }) => {
  const codes = Object.entries(items);
  let opened = 0;
  await forEach(codes, OPENING_LANES, async ([code, units]) => {
    if ((await stock.ask(code, "open", { units }, openAnswerSchema)).opened) opened++;
  });
  return { codes: codes.length, opened };
});

await runUntilStopped(server);
