import { expect, it } from "vitest";
import { component } from "../harness/resources.ts";
import { devFolder, startOutrigger, TINY_APP } from "../harness/outrigger-program.ts";

it.each([
  ["in one process", []],
  ["in processes of their own", ["--separate-sidecars"]],
])(
  "dev says that a subscription waits for its component, and when it is live, with sidecars %s",
  async (_where, flags) => {
    await using folder = await devFolder(
      [{ id: "orders", source: TINY_APP.replace('pubsubname: "pubsub"', 'pubsubname: "elsewhere"') }],
      "common:\n  resourcesPath: ./\n",
    );
    await folder.write("resources.yaml", component("broker", "pubsub.in-memory"));
    await using dev = startOutrigger(["dev", ...flags], { cwd: folder.path });
    const subject = "the subscription to topic topic of elsewhere";
    await dev.says(`${subject} waits for component elsewhere, which is not loaded`);
    await dev.says("Fix: add that component, or correct the name");
    await folder.write("more.yaml", component("elsewhere", "pubsub.in-memory"));
    await dev.says(`${subject} is live now`);
    expect(dev.output.split(`${subject} waits for`)).toHaveLength(2);
    expect(await dev.signal("SIGINT")).toMatchObject({ code: 0 });
  },
);
