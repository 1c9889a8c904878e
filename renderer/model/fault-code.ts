import type { ErrorCode } from "../../p2p/api/errors.ts";

/** The code of whatever a command rejected with: `internal` when it is not one of ours. */
export function codeOf(error: unknown): ErrorCode {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? (code as ErrorCode) : "internal";
}
