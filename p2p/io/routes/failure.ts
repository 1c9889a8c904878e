import type { WayFailure } from "../../api/way.ts";

/** A dial that failed for a reason we know. The message is the reason and names nothing of anybody. */
export class RouteError extends Error {
  override readonly name = "RouteError";
  readonly failure: WayFailure;
  /** When another try makes sense, in ms from now; 0: not known. */
  readonly afterMs: number;

  constructor(failure: WayFailure, afterMs = 0) {
    super(failure);
    this.failure = failure;
    this.afterMs = afterMs;
  }
}

/** The most telling first: of several addresses of one relay, each may have failed in its own way. */
const told: readonly WayFailure[] = [
  "wrong key",
  "portal",
  "stranger",
  "proxy refused",
  "proxy broken",
  "proxy unreachable",
  "proxy only",
  "cut",
  "timeout",
  "unreachable",
  "too soon",
  "local address",
  "special address",
  "name",
];

/** Who answers so is not what the invite says, and is left alone. */
export const strangers: ReadonlySet<WayFailure> = new Set<WayFailure>(["stranger", "portal", "wrong key"]);

/** The system's words for a far end that is not there. */
const unreachableCodes: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "ENOTFOUND",
  "EAI_AGAIN",
]);
const cutCodes: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE", "ECONNABORTED"]);

/** Names libp2p gives to the ends of connections that began well. */
const cutNames =
  /^(?:ConnectionClos|StreamReset|StreamAborted|UnexpectedEOF|MuxerClosed|ConnectionFailed|EncryptionFailed)/;

/** Every Error that this one tells of. */
export function causesOf(error: unknown, depth = 0): (Error & { readonly code?: unknown })[] {
  if (!(error instanceof Error) || depth > 4) return [];
  const inner = error instanceof AggregateError ? (error.errors as unknown[]) : [error.cause];
  return [error, ...inner.flatMap((each) => causesOf(each, depth + 1))];
}

/** One of our few reasons for whatever went wrong below. */
export function wayFailureOf(error: unknown): WayFailure {
  const causes = causesOf(error);
  const known = told.find((failure) => causes.some((cause) => meaning(cause) === failure));
  return known ?? "other";
}

function meaning({ message, name, code }: Error & { readonly code?: unknown }): WayFailure | undefined {
  const said = told.find((failure) => failure === message);
  if (said !== undefined) return said;
  // libp2p gives every failed handshake one name, a hang-up too; only Noise's own words tell an impostor from it.
  if (/does not match expected|Invalid payload signature/.test(message) || name === "UnexpectedPeerError")
    return "wrong key";
  if (name === "InvalidMessageError" || name === "InvalidCryptoExchangeError") return "stranger";
  if (name === "TimeoutError" || code === "ETIMEDOUT") return "timeout";
  if (typeof code === "string" && unreachableCodes.has(code)) return "unreachable";
  if ((typeof code === "string" && cutCodes.has(code)) || cutNames.test(name)) return "cut";
  return undefined;
}
