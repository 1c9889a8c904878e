import type { Side } from "../box.ts";

/** How one try can end: with sound, with an explanation that is right, or with neither. */
export type Outcome = "sound" | "explained" | "failed";

/** What a judging rule sees of a connection before anything of it has reached the relay. */
export interface Opening {
  /** The first segment alone, which is all that rules about single packets look at. */
  readonly first: Buffer;
  /** Everything that was needed for a whole TLS record, where it is one. */
  readonly bytes: Buffer;
}

/** What a rule may know beyond what it sees. */
export interface JudgeFacts {
  /** JA4 of the hellos that a plain Chromium of this machine sent earlier in the run. */
  readonly browserHellos: ReadonlySet<string>;
}

/** `residual`: dropped, and everything from this address to that address and port for the next 180 s as well. */
export type Verdict = "pass" | "drop" | "reset" | "residual";

/** What may come of a try, and how that is measured. */
export interface Expectation {
  readonly outcomes: readonly Outcome[];
  /** Error codes that explain this rule rightly. */
  readonly explanations?: readonly string[];
}

/** What the censor does, and what must come of it. */
export interface Rule {
  /** As it is asked for on the command line. */
  readonly name: string;
  /** One line on what he does. */
  readonly about: string;
  /**
   * Statements of nft for what passes between inside and outside, before anything is let through. A statement that
   * counts what it hit does so in the counter `trips`.
   */
  readonly statements?: readonly string[];
  /** Sets that the statements use. */
  readonly sets?: readonly string[];
  /** Rules of iptables for the chain FORWARD, where nft has no words for them. */
  readonly iptables?: readonly (readonly string[])[];
  /** Queues: words of `tc qdisc add dev`, for both directions. */
  readonly queue?: readonly string[];
  /** Judges each TCP connection to port 443 by how it begins; what was open when the rule falls is reset. */
  readonly judge?: (opening: Opening, facts: JudgeFacts) => Verdict;
  /** Every connection is reset after a time between these two, in ms. */
  readonly lifeMs?: readonly [least: number, most: number];
  /** His resolver answers every question, and wrongly. */
  readonly poisonsNames?: boolean;
  /** Share of the relays that are killed in mid-room. */
  readonly kills?: number;
  /** He visits every relay that he saw, and replays what he recorded. */
  readonly probes?: boolean;
  /** What the app does must never trip this rule: that it did is a leak. */
  readonly mustNotTrip?: boolean;
  /** How long is listened once there is sound, in ms; default 5,000. */
  readonly listenMs?: number;
  /** What a cold join under it must come to. */
  readonly start?: Readonly<Record<Side, Expectation>>;
  /** What must come of it when it falls in mid-room. */
  readonly midroom?: Readonly<Record<Side, Expectation>>;
  /** On the desktop it is also listened to what the page plays, which takes some seconds. */
  readonly listensAtPage?: boolean;
  /** Cheap enough for `npm test`. */
  readonly isShort?: boolean;
}

/** Nothing but sound will do. */
export const sound: Readonly<Record<Side, Expectation>> = {
  desktop: { outcomes: ["sound"] },
  volunteer: { outcomes: ["sound"] },
};

/** No way in was found, and the app says so. */
export const noWayIn: Expectation = { outcomes: ["explained"], explanations: ["no-network", "stalled"] };

/** Every connection is cut off after a few seconds, and the app says so. */
export const cutOff: Expectation = { outcomes: ["explained"], explanations: ["frozen"] };

/** Sound where there is a way, else the right words. */
export const soundOrNoWayIn: Expectation = {
  outcomes: ["sound", "explained"],
  explanations: ["no-network", "stalled"],
};

/** The censor's interfaces towards those who join, in the words of nft. */
export const fromInside = 'iifname "inside-*"';
/** Likewise, the other way. */
export const toInside = 'oifname "inside-*"';
