import { afterEach, expect, it } from "vitest";
import { type PlacementProgram, startPlacementProgram } from "../harness/placement-program.ts";
import { component, type Folder, temporaryFolder } from "../harness/resources.ts";
import { type SidecarProgram, startSidecarProgram } from "../harness/sidecar-program.ts";
import { freePort, startTestApp, type TestApp } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";

const ACTORS = Array.from({ length: 40 }, (_, id) => `actor-${id}`);
const WAITS = "outrigger_actor_membership_waits_total";

interface Host {
  readonly app: TestApp;
  readonly sidecar: SidecarProgram;
  call(id: string): Promise<Response>;
  /** How often its app was called for an actor. */
  called(id: string): number;
}

const disposing: AsyncDisposable[] = [];

afterEach(async () => {
  for (const one of disposing.splice(0).toReversed()) {
    await one[Symbol.asyncDispose]();
  }
});

function kept<T extends AsyncDisposable>(one: T): T {
  disposing.push(one);
  return one;
}

async function cluster(): Promise<{ readonly placement: PlacementProgram; readonly folder: Folder }> {
  const folder = kept(await temporaryFolder());
  return { folder, placement: kept(await startPlacementProgram()) };
}

async function addHost({ placement, folder }: Awaited<ReturnType<typeof cluster>>): Promise<Host> {
  // A sidecar that leaves waits for its app, however busy the machine is.
  const config = JSON.stringify({ entities: ["t"], drainOngoingCallTimeout: "45s" });
  const app = kept(await startTestApp({ config }));
  const store = { connectionString: `${folder.path}/state.db`, actorStateStore: "true" };
  const sidecar = kept(
    await startSidecarProgram({
      resources: component("store", "state.sqlite", store),
      flags: [
        `--app-port=${app.port}`,
        `--placement-host-address=${placement.address}`,
        `--dapr-internal-grpc-port=${await freePort()}`,
        "--dapr-graceful-shutdown-seconds=60",
      ],
    }),
  );
  await until("it is in the tables", () => sidecar.isReady(), 30_000);
  return {
    app,
    sidecar,
    call: (id) => sidecar.fetch(`/v1.0/actors/t/${id}/method/m`, { method: "POST" }),
    called: (id) => app.at(`/actors/t/${id}/method/m`).length,
  };
}

/** Calls of actors that stayed where they were, and waited all the same. */
async function needlessWaits(hosts: readonly Host[]): Promise<string[]> {
  const texts = await Promise.all(hosts.map(({ sidecar }) => sidecar.metrics()));
  return texts.flatMap((text) =>
    text.split("\n").filter((line) => line.startsWith(WAITS) && line.includes('moved="false"')),
  );
}

it("a sidecar that joins or leaves is noticed by calls of those actors only that move", async () => {
  const all = await cluster();
  const first = await addHost(all);
  const joining = new AbortController();
  const failures: { readonly id: string; readonly text: string }[] = [];
  const calling = (async () => {
    for (let call = 0; !joining.signal.aborted; call++) {
      const id = ACTORS[call % ACTORS.length] ?? "";
      const answer = await first.call(id);
      if (!answer.ok) {
        failures.push({ id, text: await answer.text() });
      }
    }
  })();
  const second = await addHost(all);
  const moved = await until("actors have moved", async () => {
    const there = ACTORS.filter((id) => second.called(id) > 0);
    return there.length > 0 && there;
  });
  await second.sidecar.program.signal("SIGTERM");
  await until("they are back", async () => {
    const before = moved.map((id) => first.called(id));
    await Promise.all(moved.map((id) => first.call(id)));
    return moved.every((id, index) => first.called(id) > (before[index] ?? 0));
  });
  joining.abort();
  await calling;
  expect(failures).toEqual([]);
  expect(await needlessWaits([first])).toEqual([]);
}, 120_000);

it("a stopped process loses its actors to others, and gives them up before it serves again", async () => {
  const all = await cluster();
  const [stopped, other] = [await addHost(all), await addHost(all)];
  await Promise.all(ACTORS.map((id) => other.call(id)));
  const own = ACTORS.filter((id) => stopped.called(id) > 0);
  expect(own.length).toBeGreaterThan(0);
  const before = own.map((id) => stopped.called(id));

  const { pid } = stopped.sidecar.program;
  process.kill(pid, "SIGSTOP");
  // On its way when the process stops, and in its socket when it goes on.
  const late = stopped.call(own[0] ?? "").catch(() => undefined);
  await until(
    "the others have its actors",
    async () => (await Promise.all(own.map((id) => other.call(id)))).every(({ status }) => status === 200),
    60_000,
  );
  expect(own.every((id) => other.called(id) > 0)).toBe(true);
  process.kill(pid, "SIGCONT");
  await late;
  await until("it says so", () => stopped.sidecar.program.output.includes("Giving up all actors"), 30_000);
  await until("it is in the tables again", async () => {
    await Promise.all(own.map((id) => stopped.call(id)));
    return own.some((id, index) => stopped.called(id) > (before[index] ?? 0));
  });
  expect(await needlessWaits([stopped, other])).toEqual([]);
}, 180_000);
