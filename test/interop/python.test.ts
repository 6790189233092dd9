import { GRPC_STATUS } from "../../src/errors/grpc-status.ts";
import { interopWith } from "./cases.ts";
import { pythonPeer } from "./toolchains.ts";

interopWith("grpcio", await pythonPeer(), {
  keepaliveMs: 100,
  lostStatus: "Internal error from Core",
  sheds: [GRPC_STATUS.CANCELLED, GRPC_STATUS.UNAVAILABLE],
});
