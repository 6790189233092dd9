// One process of `run.ts`: a server, a proxy or a client. Told what to do by messages, answers with its own CPU time.
import { caller, type Kind, proxy, serve } from "./calls.ts";

export type PartMessage =
  | { readonly do: "serve"; readonly kind: Kind }
  | { readonly do: "proxy"; readonly kind: Kind; readonly to: number }
  | { readonly do: "connect"; readonly kind: Kind; readonly to: number }
  | { readonly do: "call"; readonly count: number; readonly atATime: number }
  | { readonly do: "usage" };

/** `value` is a port, or microseconds of CPU since the process began. */
export interface PartAnswer {
  readonly value: number;
}

let call: ReturnType<typeof caller> | undefined;

async function obey(message: PartMessage): Promise<number> {
  switch (message.do) {
    case "serve":
      return await serve(message.kind);
    case "proxy":
      return await proxy(message.kind, message.to);
    case "connect":
      call = caller(message.kind, message.to);
      return 0;
    case "call":
      await call?.(message.count, message.atATime);
      return 0;
    case "usage": {
      const { user, system } = process.cpuUsage();
      return user + system;
    }
  }
}

process.on("message", (message: PartMessage) => {
  void obey(message).then((value) => process.send?.({ value } satisfies PartAnswer));
});
process.once("disconnect", () => process.exit(0));
