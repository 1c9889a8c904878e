import type { Millis } from "./ids.ts";

/** The ways to the network, from the nearest to the longest: DESIGN.md, Transports. */
export type Rung = "lan" | "wss" | "webrtc" | "proxy";

/** Which way is to be taken. It narrows what the profile allows and never widens it. */
export interface WayChoice {
  /** `auto`: the best that works. `proxy`: only through the proxy. */
  readonly rung: Rung | "auto";
  /** `socks5://user:password@host:port` or `http://…`. A secret: never logged, never in an error. */
  readonly proxy?: string;
  /** `always` (the default): nothing goes beside it, no UDP either. `fallback`: when nothing else works. */
  readonly proxyUse?: "always" | "fallback";
}

/**
 * Why a dial failed: counted, and without anybody's address.
 * - `unreachable`, `timeout`: nobody answers. `cut`: TCP answers, then TLS or what is in it is reset or stalls.
 * - `stranger`: it answers, but is not a relay. `portal`: this network wants to be logged in to. `wrong key`: it is another
 *   relay. These are not dialed again for the same invite.
 * - `local address`, `name`, `special address`: where an invite may not send us. `too soon`: the dial budget is used up.
 * - `proxy unreachable`, `proxy refused`, `proxy broken`: the person's own proxy. `proxy only`: a way beside it.
 */
export type WayFailure =
  | "unreachable"
  | "timeout"
  | "cut"
  | "stranger"
  | "portal"
  | "wrong key"
  | "local address"
  | "name"
  | "special address"
  | "too soon"
  | "proxy unreachable"
  | "proxy refused"
  | "proxy broken"
  | "proxy only"
  | "other";

/** Failures by code. */
export type WayFailures = Readonly<Partial<Record<WayFailure, number>>>;

/** What was chosen, less the proxy's address: for windows that were not there when it was. */
export interface ChosenWay {
  readonly rung: Rung | "auto";
  /** `always` and `fallback` as in `WayChoice`; with rung `proxy` it is always. */
  readonly proxy: "none" | "always" | "fallback";
}

/** Which way carries now, and what failed so far on which. */
export interface Way {
  readonly chosen: ChosenWay;
  /** Null while nothing was connected yet. */
  readonly rung: Rung | null;
  readonly since: Millis;
  readonly failures: Readonly<Partial<Record<Rung, WayFailures>>>;
}

/** What `probe` tried. */
export type ProbeRung = "relay" | "transfer" | "webrtc" | "dht";

/** One try of a probe, as it ends. */
export interface ProbeStep {
  readonly rung: ProbeRung;
  /** Which of the invite's relays, from 1; 0 for what concerns none. */
  readonly relay: number;
  /** What was tried, for a person's eyes: a relay's address is in it. */
  readonly what: string;
  readonly ok: boolean;
  /** Undefined when it worked. */
  readonly failure?: WayFailure | "refused" | "no record" | "frozen";
}

/**
 * What a probe concludes. `works`; `udp-blocked`: sound goes over WSS; `dht-only`: no relay of the invite, but the room's
 * record; `frozen`: connections stop after some KB; `portal`; `tls-blocked`: TCP answers and TLS does not get through;
 * `strangers`: whoever answers is no relay of this room; `relays-refuse`; `proxy-dead`; `lan-only`: the invite leads into
 * a local network that is not ours to search; `offline`: nothing answers at all.
 */
export type ProbeVerdict =
  | "works"
  | "udp-blocked"
  | "dht-only"
  | "frozen"
  | "portal"
  | "tls-blocked"
  | "strangers"
  | "relays-refuse"
  | "proxy-dead"
  | "lan-only"
  | "offline";
