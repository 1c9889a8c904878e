import type { Shape } from "./shape.ts";

/** Why a text was not taken. */
export type TextFault = "too-long" | "not-json" | "bad-shape";

/** The shape of each kind of message. */
export type ByKind<M extends { readonly kind: string }> = { readonly [K in M["kind"]]: Shape<Extract<M, { kind: K }>> };

/** What a JSON text says, or why it says nothing. Never throws. */
export function readText<M extends { readonly kind: string }>(
  message: string,
  lengthMax: number,
  shapes: ByKind<M>,
): M | TextFault {
  if (message.length > lengthMax) return "too-long";
  let value: unknown;
  try {
    value = JSON.parse(message);
  } catch {
    return "not-json";
  }
  const kind: unknown = typeof value === "object" && value !== null && "kind" in value ? value.kind : undefined;
  if (typeof kind !== "string" || !Object.hasOwn(shapes, kind)) return "bad-shape";
  const shape = shapes[kind as M["kind"]] as Shape<M>;
  return shape(value) ? value : "bad-shape";
}
