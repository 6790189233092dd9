/** Which door a message came through: codes that a retry policy matches are those of its protocol. */
export type PublishOrigin = "http" | "grpc";
