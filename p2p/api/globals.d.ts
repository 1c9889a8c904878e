/**
 * The globals that api and engine may use beside the language itself. Electron, Node and browsers all have them. Both
 * layers are compiled without the types of any of these platforms, so that nothing else of them slips in.
 */

/** Tells a running operation that nobody waits for it any more. */
interface AbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: "abort", listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** The other end of an AbortSignal. */
declare class AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}
