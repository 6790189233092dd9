import { interopThroughRelay, interopWith } from "./cases.ts";
import { jsPeer } from "./toolchains.ts";

interopWith("grpc-js", jsPeer(), { keepaliveMs: 100, hidesHeaderLimit: true });
interopThroughRelay("grpc-js", jsPeer(), { hidesHeaderLimit: true, okMessage: "OK" });
