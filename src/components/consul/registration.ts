import type { Instance } from "../spi/name-resolution.ts";
import type { ConsulOptions } from "./options.ts";
import type { Json } from "./shapes.ts";

/** A registration as the agent takes it, and its id there. */
export interface Registration {
  readonly id: string;
  readonly name: string;
  readonly body: Readonly<Record<string, Json>>;
}

/** What a sidecar registers; undefined: it does not. */
export function registrationOf(
  { configuration, portKey }: ConsulOptions,
  { appId, address, appPort, httpPort, internalGrpcPort }: Instance,
): Registration | undefined {
  const { AdvancedRegistration: advanced, SelfRegister, Checks, Tags, Meta } = configuration;
  const port = { [portKey]: String(internalGrpcPort) };
  if (advanced !== undefined) {
    const name = textOf(advanced["Name"]);
    const body = asSent({ ...advanced, Meta: { ...mapOf(advanced["Meta"]), ...port } });
    return { id: textOf(advanced["ID"]) || name, name, body };
  }
  if (SelfRegister !== true) {
    return undefined;
  }
  const id = `${appId}-${address}-${httpPort}`;
  const host = address.includes(":") ? `[${address}]` : address;
  const ownCheck = {
    Name: "Dapr Health Status",
    CheckID: `daprHealth:${id}`,
    Interval: "15s",
    HTTP: `http://${host}:${httpPort}/v1.0/healthz?appid=${appId}`,
  };
  const body = asSent({
    ID: id,
    Name: appId,
    Address: address,
    ...(appPort === undefined ? {} : { Port: appPort }),
    Checks: Checks === undefined || Checks.length === 0 ? [ownCheck] : Checks,
    ...(Tags === undefined ? {} : { Tags }),
    Meta: { ...Meta, ...port },
  });
  return { id, name: appId, body };
}

/** On the wire a check's command has another name. */
function asSent(registration: Readonly<Record<string, Json>>): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(registration).map(([key, value]) => [
      key,
      key === "Check" ? checkAsSent(value) : key === "Checks" ? (value as readonly Json[]).map(checkAsSent) : value,
    ]),
  );
}

function checkAsSent(check: Json): Json {
  const { Args, ...rest } = mapOf(check);
  return Args === undefined ? rest : { ...rest, ScriptArgs: Args };
}

function mapOf(value: Json | undefined): Readonly<Record<string, Json>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, Json>>)
    : {};
}

function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}
