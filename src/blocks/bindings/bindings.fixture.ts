import type { AppChannel, BindingEventCall, BindingReply, InputBindingTarget } from "../../app/types.ts";
import type { Binding, BindingEvent, BindingHandler, BindingRequest } from "../../components/spi/bindings.ts";
import type { ComponentManifest, ComponentMetadata } from "../../components/spi/component.ts";
import type { Loaded } from "../../inventory/types.ts";

const manifest: ComponentManifest<Binding> = {
  family: "bindings",
  type: "bindings.fake",
  versions: [{ version: "v1", stability: "stable" }],
  capabilities: ["INPUT_BINDING", "OUTPUT_BINDING"],
  metadata: [],
  load: () => Promise.reject(new Error("not in these tests")),
};

/** A binding both ways, whose events the test makes. */
export class FakeBinding implements Binding {
  readonly operations = ["create", "get"];
  readonly requests: BindingRequest[] = [];
  handler: BindingHandler | undefined;
  readings = 0;

  async init(): Promise<void> {}

  async close(): Promise<void> {}

  async invoke(request: BindingRequest) {
    this.requests.push(request);
    return { data: Buffer.from("answer"), metadata: {}, contentType: undefined };
  }

  async read(handler: BindingHandler) {
    this.handler = handler;
    this.readings += 1;
    return {
      close: async (): Promise<void> => {
        this.handler = undefined;
      },
    };
  }

  emit(text: string): Promise<Uint8Array | undefined> {
    const event: BindingEvent = { data: Buffer.from(text), metadata: { m: "1" }, contentType: undefined };
    return this.handler?.(event, new AbortController().signal) ?? Promise.reject(new Error("nobody reads"));
  }
}

export function loadedBinding(name: string, component: Binding, metadata: ComponentMetadata = {}): Loaded<Binding> {
  return { name, manifest, version: "v1", metadata, secretNames: {}, component };
}

const refuse = (): Promise<never> => Promise.reject(new Error("not in these tests"));

export const PLAIN_REPLY: BindingReply = {
  body: Buffer.from("ok"),
  storeName: "",
  states: [],
  to: [],
  data: new Uint8Array(0),
  parallel: false,
};

/** An app that says which bindings it takes, and keeps their events. */
export class FakeApp implements AppChannel {
  readonly protocol = "http";
  readonly asked: InputBindingTarget[] = [];
  readonly events: BindingEventCall[] = [];
  takes: (target: InputBindingTarget, signal: AbortSignal) => Promise<boolean> = () => Promise.resolve(true);
  reply: BindingReply | Error = PLAIN_REPLY;
  readonly invoke = refuse;
  readonly listSubscriptions = refuse;
  readonly deliver = refuse;
  readonly deliverBulk = refuse;
  readonly triggerJob = refuse;
  readonly probe = refuse;

  takesBinding(target: InputBindingTarget, signal: AbortSignal): Promise<boolean> {
    this.asked.push(target);
    return this.takes(target, signal);
  }

  async deliverBindingEvent(event: BindingEventCall): Promise<BindingReply> {
    this.events.push(event);
    if (this.reply instanceof Error) {
      throw this.reply;
    }
    return this.reply;
  }

  async close(): Promise<void> {}
}
