/** Bytes of one answer of the agent. */
export const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
/** Characters of the agent's answer that an error repeats. */
export const ANSWER_CHARACTERS_SHOWN = 200;
/** Milliseconds that the agent has to answer what it need not wait for. */
export const ANSWER_MS_MAX = 5_000;
/** Milliseconds that a blocking query asks the agent to wait for a change, where the configuration does not say. */
export const WATCH_WAIT_MS = 60_000;
/** An agent adds up to a sixteenth to that, and has so many milliseconds more to answer. */
export const WATCH_GRACE_MS = 10_000;
/** Apps whose instances are followed at a time, each by a connection of its own; the agent is asked for others with each call. */
export const WATCHED_APPS_MAX = 100;
/** An app that nobody has called for so many milliseconds is not followed any more. */
export const WATCH_IDLE_MS = 600_000;
/** Connections to the agent, beside one for each app that is followed. */
export const ASKING_CONNECTIONS_MAX = 8;
/** Milliseconds until what has failed is tried again: at first, and at most. Each wait is twice the one before. */
export const RETRY_MS_MIN = 1_000;
export const RETRY_MS_MAX = 30_000;
/** Milliseconds between two looks whether the agent still knows the registration. */
export const REGISTRATION_CHECK_MS = 30_000;
/** An address at which nobody answered is given out only if there is no other, for so many milliseconds. */
export const AVOIDED_MS = 10_000;
/** Such addresses that are kept in mind. */
export const AVOIDED_MAX = 1_000;
