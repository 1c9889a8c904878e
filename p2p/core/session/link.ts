import type { LinkId, Millis } from "../../api/ids.ts";
import type { LinkKind } from "../../api/link.ts";

/** One link of a session, and what passed on it. */
export interface SessionLink {
  readonly link: LinkId;
  readonly kind: LinkKind;
  /** False while our `attach` on it is unanswered: nothing else is sent on it until then. */
  ready: boolean;
  attachedAt: Millis;
  attaches: number;
  heardAt: Millis;
  sentAt: Millis;
}

/** Loses rather than delays. */
export function isDatagrams(entry: { readonly kind: LinkKind }): boolean {
  return entry.kind === "webrtc";
}
