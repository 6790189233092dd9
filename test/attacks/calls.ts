import { createH2Transport } from "../../src/net/h2/protocol/transport.ts";
import type { TransportClient } from "../../src/net/h2/transport.ts";

/** Calls until code is as fast as it gets, so that an attack is not charged for compiling it. */
const WARM_UP_CALLS = 3_000;
const AT_ONCE = 100;

/** Calls a victim, so that both ends are warm. */
export async function warmUp(address: string): Promise<void> {
  const client = createH2Transport().createClient(address);
  for (let done = 0; done < WARM_UP_CALLS; done += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, async () => await callOnce(client)));
  }
  await client.close();
}

/** One call that must be answered with 200 and two bytes. */
export async function callOnce(client: TransportClient): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let bytes = 0;
    let status = 0;
    client.open({ method: "GET", path: "/", scheme: "http", authority: "a", headers: [] }, true, {
      onHead(head) {
        ({ status } = head);
      },
      onData(chunk) {
        bytes += chunk.length;
      },
      onEnd() {},
      onClose(code) {
        if (code === 0 && status === 200 && bytes === 2) resolve();
        else reject(new Error(`a call that should be answered ended with ${code}, status ${status}, ${bytes} bytes`));
      },
    });
  });
}
