import { interopWith } from "./cases.ts";
import { javaPeer } from "./toolchains.ts";

interopWith("grpc-java", await javaPeer());
