import type { LinkId, Millis } from "../../api/ids.ts";
import type { Frame, Tick } from "./frames.ts";

/** Media, and what neighbours say about it. */
export type MediaSignal = Extract<Frame, { kind: "media" | "bundle" | "cover" | "request" }>;

/** What a session tells its owner. */
export type SessionSignal =
  | MediaSignal
  | { readonly kind: "message"; readonly message: Uint8Array }
  | { readonly kind: "bye" }
  /** The far end knows the session of the link that we attached. */
  | { readonly kind: "attached" }
  /** The far end broke the protocol or reads nothing: the session is over. */
  | { readonly kind: "broken" };

/** What a session needs from its owner: a way out. */
export interface SessionWires {
  send(link: LinkId, bytes: Uint8Array): void;
  close(link: LinkId): void;
  /** A stream was given up because nothing came on it any more though it was open ([SS12]). */
  froze?(link: LinkId): void;
  /** What a tick says of us beside that we live. */
  condition?(now: Millis): Pick<Tick, "stalled" | "passing">;
}
