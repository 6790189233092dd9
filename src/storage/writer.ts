// The writer's thread: opens the database, then turns packets of writes into committed groups and answers with their
// outcomes in order. While a group waits for the disk further packets pile up; the next group takes them all.
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { openWriter, storageErrorOf } from "./connection.ts";
import { GroupWriter, type Outcome } from "./group-writer.ts";
import { GROUP_WRITES_MAX } from "./limits.ts";
import { type PackedStep, writesOf } from "./packet.ts";
import type { ToEngine, ToWriter, WriterData } from "./writer-messages.ts";

function start(port: NonNullable<typeof parentPort>, { options, sources }: WriterData): void {
  const answer = (message: ToEngine): void => port.postMessage(message);
  let connection: ReturnType<typeof openWriter>;
  try {
    connection = openWriter(options, sources);
  } catch (error) {
    const { message, code } = storageErrorOf(error);
    answer({ openFailed: message, code });
    port.close();
    return;
  }
  const groups = new GroupWriter(connection);

  const drain = (first: ToWriter): void => {
    const writes: PackedStep[][] = [];
    let closing = false;
    let next: ToWriter | undefined = first;
    while (next !== undefined) {
      if (next === "close") {
        closing = true;
      } else {
        writes.push(...writesOf(next.packet, next.byteLength));
      }
      next =
        closing || writes.length >= GROUP_WRITES_MAX
          ? undefined
          : (receiveMessageOnPort(port)?.message as ToWriter | undefined);
    }
    if (writes.length > 0) {
      const outcomes: Outcome[] = groups.run(writes);
      answer({ outcomes });
    }
    if (closing) {
      connection.close();
      port.close();
    }
  };

  port.on("message", drain);
  answer("open");
}

if (parentPort !== null) {
  start(parentPort, workerData as WriterData);
}
