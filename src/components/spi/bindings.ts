import type { Component } from "./component.ts";
import type { RequestMetadata } from "./request-metadata.ts";

/** What an output binding is asked to do. `operation` is one of those it lists (`create`, `get`, `delete`, `list`, `exec` …). */
export interface BindingRequest {
  readonly operation: string;
  readonly data: Uint8Array;
  readonly metadata: RequestMetadata;
}

/** Its answer; metadata goes out as response headers. */
export interface BindingResponse {
  readonly data: Uint8Array | undefined;
  readonly metadata: RequestMetadata;
  readonly contentType: string | undefined;
}

/** Capability OUTPUT_BINDING. */
export interface OutputBinding extends Component {
  readonly operations: readonly string[];
  /**
   * @throws ComponentError; one with a response (an HTTP binding's answer of status 400 or more) carries it in
   * `BindingFailure`
   */
  invoke(request: BindingRequest, signal?: AbortSignal): Promise<BindingResponse>;
}

/** An event of an input binding. */
export interface BindingEvent {
  readonly data: Uint8Array;
  readonly metadata: RequestMetadata;
  readonly contentType: string | undefined;
}

/** Settles an event: what it resolves to is the app's answer, for bindings that hand one back; rejecting gives the event back. */
export type BindingHandler = (event: BindingEvent, signal: AbortSignal) => Promise<Uint8Array | undefined>;

/** One live reading. `close` stops intake and resolves when handlers under way have settled. */
export interface BindingReading {
  close(): Promise<void>;
}

/** Capability INPUT_BINDING. Reading begins after the app has said that it takes the binding's events. */
export interface InputBinding extends Component {
  read(handler: BindingHandler): Promise<BindingReading>;
}

/** A binding: either direction or both. */
export type Binding = Component &
  Partial<Pick<OutputBinding, "operations" | "invoke">> &
  Partial<Pick<InputBinding, "read">>;
